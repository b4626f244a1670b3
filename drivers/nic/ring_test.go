package nic

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGeometry(t *testing.T) {
	for _, c := range []struct {
		ring, block int
		want        unix.TpacketReq3
	}{
		{64 << 20, 1 << 20, unix.TpacketReq3{Block_size: 1 << 20, Block_nr: 64, Frame_size: 65536, Frame_nr: 1024, Retire_blk_tov: 10}},
		{1 << 20, 16 << 10, unix.TpacketReq3{Block_size: 16384, Block_nr: 64, Frame_size: 16384, Frame_nr: 64, Retire_blk_tov: 10}},
		{1 << 20, 96 << 10, unix.TpacketReq3{Block_size: 98304, Block_nr: 10, Frame_size: 65536, Frame_nr: 10, Retire_blk_tov: 10}},
	} {
		g := blockGeometry(options{ringBytes: c.ring, blockBytes: c.block, retire: 10})
		if got := *g.request(); got != c.want {
			t.Errorf("%d/%d: %+v, want %+v", c.ring, c.block, got, c.want)
		}
	}
}

func TestFrameGeometry(t *testing.T) {
	for _, c := range []struct{ ring, snap, mtu, frame int }{
		{64 << 20, 262144, 1500, 2048},
		{64 << 20, 262144, 9000, 16384},
		{64 << 20, 262144, 65536, 65536},
		{1 << 20, 64, 9000, 2048},
	} {
		g := frameGeometry(options{ringBytes: c.ring, snap: c.snap}, c.mtu)
		want := geometry{blockBytes: 65536, blocks: c.ring / 65536, frameBytes: c.frame}
		if g != want {
			t.Errorf("MTU %d, snap %d: %+v, want %+v", c.mtu, c.snap, g, want)
		}
	}
}

func TestRingShrinks(t *testing.T) {
	// room is the number of blocks for which the simulated kernel has memory.
	for room, want := range map[uint32]int{64: 64, 60: 58, 10: 10, 1: 1} {
		g := geometry{blockBytes: 1 << 20, blocks: 64, frameBytes: 1 << 16}
		err := shrinkUntil(&g, func(r *unix.TpacketReq3) error {
			if r.Block_nr > room {
				return unix.ENOMEM
			}
			return nil
		})
		if err != nil || g.blocks != want {
			t.Errorf("room for %d blocks: took %d, %v; want %d", room, g.blocks, err, want)
		}
	}
	for _, errno := range []error{unix.ENOMEM, unix.EINVAL} {
		g := geometry{blockBytes: 1 << 20, blocks: 64, frameBytes: 1 << 16}
		if err := shrinkUntil(&g, func(*unix.TpacketReq3) error { return errno }); !errors.Is(err, errno) {
			t.Errorf("a kernel that answers %v: %v", errno, err)
		}
	}
}
