package nic

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// A ring is memory that the kernel fills with packets. There are two kinds:
// blocks of packets, which cost little for each, and frames of one packet,
// which come at once. A ring belongs to the goroutine of Run, but for waiting.
type ring interface {
	// fill makes batch views of the packets that come next, in order, and
	// returns how many; 0 when the kernel has handed none over. They are valid
	// until the next call, which gives them back to the kernel.
	fill(v *view, batch []drivers.Packet) int
	// waiting counts the packets that the kernel has put into the ring and fill
	// has not returned or found broken, those in an open block included. Any
	// goroutine may call it, also while fill goes on: then some of the packets
	// that come or go meanwhile are in, others not. It must not be called after
	// unmap.
	waiting() uint64
	// unmap returns the memory. Twice is fine.
	unmap() error
}

// A geometry is the shape of a ring: blocks, with frames in them.
type geometry struct {
	blockBytes int
	blocks     int
	frameBytes int
	retire     int // ms
}

// request fills in the kernel's form; frame_nr must agree with the rest
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

// smaller returns g with 5 % fewer blocks, at least one block fewer.
func (g geometry) smaller() geometry {
	g.blocks -= max(1, g.blocks/20)
	return g
}

// shrinkUntil makes g smaller until set does not fail with ENOMEM.
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
