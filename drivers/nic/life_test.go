package nic

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/leak"
	"gomapi/internal/testnet"
)

func TestOpenCloseLeavesNothing(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		before, err := leak.Held()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			dev, err := Driver{}.Open(context.Background(), drivers.Config{Device: testnet.B, Params: tinyRing})
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				start(t, dev, new(discard)).stop(t)
			}
			for range 2 {
				if err := dev.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := (Driver{}).Open(context.Background(), drivers.Config{Device: "missing"}); err == nil {
				t.Fatal("opened a missing interface")
			}
		}
		if err := leak.Since(before); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenWithEndedContext(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := (Driver{}).Open(ctx, drivers.Config{Device: testnet.B}); !errors.Is(err, context.Canceled) {
			t.Errorf("Open with an ended context: %v", err)
		}
	})
}

func TestStopUnderLoad(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		s := ns.Sender(testnet.A)
		frame := testnet.UDP(1, 60)
		var enough atomic.Bool
		loaded := ns.Go(func() {
			for !enough.Load() {
				if err := s.Send(frame); err != nil {
					t.Errorf("load: %v", err)
					return
				}
			}
		})
		for range 5 {
			r := newRecorder()
			run := start(t, mustOpen(t, testnet.B, nil), r)
			r.await(t, 10000)
			run.stop(t)
		}
		enough.Store(true)
		<-loaded
	})
}

func TestInterfaceDownUp(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.Down(testnet.B)
		r := newRecorder()
		run := start(t, mustOpen(t, testnet.B, nil), r) // opened while down
		s := ns.Sender(testnet.A)
		var frames [][]byte
		for i := range uint64(3) {
			ns.Up(testnet.B, testnet.A)
			frame := testnet.UDP(i, 100)
			frames = append(frames, frame)
			send(t, s, frame)
			r.await(t, len(frames))
			ns.Down(testnet.B)
		}
		run.stop(t)
		sameFrames(t, r.packets(), frames)
	})
}

// TestDownIsReadOnce checks that the error of an interface that went down is
// read from the socket. Otherwise every poll would return at once.
func TestDownIsReadOnce(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := mustOpen(t, testnet.B, tinyRing).(*device)
		ns.Down(testnet.B)
		fds := []unix.PollFd{{Fd: int32(d.sock.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); n != 1 || err != nil || fds[0].Revents&unix.POLLERR == 0 {
			t.Fatalf("poll after down: %d, %v, %x", n, err, fds[0].Revents)
		}
		if changed, err := d.wait(time.Time{}); err != nil || !changed {
			t.Errorf("wait: changed %v, %v", changed, err)
		}
		if err := d.follow(new(discard)); err != nil {
			t.Error(err)
		}
		if n, err := unix.Poll(fds, 0); n != 0 || err != nil {
			t.Errorf("poll after wait: %d, %v, %x", n, err, fds[0].Revents)
		}
	})
}
