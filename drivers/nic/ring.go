package nic

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A geometry is the shape of a ring: blocks of blockBytes each.
type geometry struct {
	blockBytes int
	blocks     int
	retire     int // ms
}

func newGeometry(o options) geometry {
	return geometry{blockBytes: o.blockBytes, blocks: o.ringBytes / o.blockBytes, retire: o.retire}
}

// request fills in the kernel's form. The frame size is bookkeeping in V3,
// where packets lie in a block one after the other, but it must fit the block
// and frame_nr must agree with it exactly.
func (g geometry) request() *unix.TpacketReq3 {
	frame := min(g.blockBytes, 65536)
	return &unix.TpacketReq3{
		Block_size:     uint32(g.blockBytes),
		Block_nr:       uint32(g.blocks),
		Frame_size:     uint32(frame),
		Frame_nr:       uint32(g.blocks * (g.blockBytes / frame)),
		Retire_blk_tov: uint32(g.retire),
	}
}

// smaller returns g with 5 % fewer blocks, at least one block fewer.
func (g geometry) smaller() geometry {
	g.blocks -= max(1, g.blocks/20)
	return g
}

// A ring is the memory shared with the kernel and the place in it.
type ring struct {
	geometry
	mem    []byte
	status []*uint32 // of each block, in mem
	at     int       // block that comes next
}

// request asks the kernel for the ring, for a smaller one while memory is
// short.
func (r *ring) request(sock int, g geometry) error {
	err := shrinkUntil(&g, func(req *unix.TpacketReq3) error {
		return unix.SetsockoptTpacketReq3(sock, unix.SOL_PACKET, unix.PACKET_RX_RING, req)
	})
	r.geometry = g
	return err
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

func (r *ring) mmap(sock int) (err error) {
	r.mem, err = unix.Mmap(sock, 0, r.blocks*r.blockBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	r.status = make([]*uint32, r.blocks)
	for i := range r.status {
		r.status[i] = statusOf(r.block(i))
	}
	return nil
}

func (r *ring) unmap() error {
	if r.mem == nil {
		return nil
	}
	mem := r.mem
	r.mem, r.status = nil, nil
	return os.NewSyscallError("munmap", unix.Munmap(mem))
}

func (r *ring) block(i int) []byte {
	end := (i + 1) * r.blockBytes
	return r.mem[i*r.blockBytes : end : end]
}

// next returns the next block if the kernel has handed it over. It stays ours
// until release.
func (r *ring) next() ([]byte, bool) {
	if !owned(r.status[r.at]) {
		return nil, false
	}
	return r.block(r.at), true
}

// release gives the block back that next returned. It reports whether the ring
// has come round.
func (r *ring) release() (round bool) {
	giveBack(r.status[r.at])
	r.at++
	if r.at < r.blocks {
		return false
	}
	r.at = 0
	return true
}
