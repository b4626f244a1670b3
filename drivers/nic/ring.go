package nic

import (
	"errors"
	"os"
	"sort"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// A ring is memory that the kernel fills with packets. There are two kinds:
// blocks of packets, with low cost per packet, and frames of one packet, with
// low latency. Only the goroutine of Run uses a ring, except for waiting.
type ring interface {
	// fill writes views of the next packets to batch, in order, and returns
	// their number; 0 if the kernel has handed over none. The views are valid
	// until the next call, which returns their memory to the kernel.
	fill(v *view, batch []drivers.Packet) int
	// waiting counts the packets, including those in an open block, that the
	// kernel has put into the ring and fill has neither returned nor found
	// broken. Any goroutine may call it, even during fill: then it includes
	// some of the packets that arrive or leave meanwhile, but not others. It
	// must not be called after unmap.
	waiting() uint64
	// fullness returns how much of the ring holds packets that were handed over
	// and not released, in percent. Only the goroutine of Run calls it.
	fullness() int
	// unmap unmaps the memory. It may be called more than once.
	unmap() error
}

// percentOf returns how many of n places in a row are taken, in percent. The
// taken ones come first.
func percentOf(n int, taken func(i int) bool) int {
	return 100 * sort.Search(n, func(i int) bool { return !taken(i) }) / n
}

// A geometry is the layout of a ring: blocks that consist of frames.
type geometry struct {
	blockBytes int
	blocks     int
	frameBytes int
	retire     int // ms
}

// request returns g in the kernel's form; frame_nr must match the other fields
// exactly.
func (g geometry) request() *unix.TpacketReq3 {
	return &unix.TpacketReq3{
		Block_size:     uint32(g.blockBytes),
		Block_nr:       uint32(g.blocks),
		Frame_size:     uint32(g.frameBytes),
		Frame_nr:       uint32(g.blocks * (g.blockBytes / g.frameBytes)),
		Retire_blk_tov: uint32(g.retire),
	}
}

// smaller returns g with 5 % fewer blocks, but at least one fewer.
func (g geometry) smaller() geometry {
	g.blocks -= max(1, g.blocks/20)
	return g
}

// shrinkUntil reduces g while set fails with ENOMEM.
func shrinkUntil(g *geometry, set func(*unix.TpacketReq3) error) error {
	err := set(g.request())
	for errors.Is(err, unix.ENOMEM) && g.blocks > 1 {
		*g = g.smaller()
		err = set(g.request())
	}
	return os.NewSyscallError("setsockopt PACKET_RX_RING", err)
}

// A mapping is the memory of a ring.
type mapping struct {
	geometry
	mem []byte
}

func (m *mapping) mmap(sock int) (err error) {
	m.mem, err = unix.Mmap(sock, 0, m.blocks*m.blockBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return os.NewSyscallError("mmap", err)
}

func (m *mapping) unmap() error {
	if m.mem == nil {
		return nil
	}
	mem := m.mem
	m.mem = nil
	return os.NewSyscallError("munmap", unix.Munmap(mem))
}
