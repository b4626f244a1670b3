package nic

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSubscribeWithoutPoller checks that a failed subscription without a poller
// can be repeated.
func TestSubscribeWithoutPoller(t *testing.T) {
	d := &device{control: -1}
	if err := d.prepareWaiting(); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.poller.close()
	if err := d.enter(); err == nil {
		t.Error("no error")
	}
	if d.control >= 0 {
		t.Error("the device keeps events that it does not wait for")
	}
}

// TestPollerAfterTimeout checks that a wait that timed out leaves no deadline,
// and that later waits report every event, including events in between.
func TestPollerAfterTimeout(t *testing.T) {
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(event)
	if err := p.add(event); err != nil {
		t.Fatal(err)
	}
	one, room := [8]byte{1}, [8]byte{}
	for _, timeout := range []time.Duration{0, time.Millisecond} {
		if ready, err := p.wait(time.Now().Add(timeout)); err != nil || len(ready) != 0 {
			t.Fatalf("no event: %v, %v", ready, err)
		}
	}
	taken := make(chan struct{})
	go func() {
		for range taken {
			_, _ = unix.Write(event, one[:])
		}
	}()
	defer close(taken)
	for range 20_000 {
		taken <- struct{}{}
		ready, err := p.wait(time.Time{})
		if err != nil || len(ready) != 1 || int(ready[0].Fd) != event {
			t.Fatalf("unexpected event: %v, %v", ready, err)
		}
		if _, err := unix.Read(event, room[:]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPollerForgetsClosed checks that closed descriptors are no longer waited
// for, even if their number is reused.
func TestPollerForgetsClosed(t *testing.T) {
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for range 100 {
		event, err := unix.Eventfd(1, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.add(event); err != nil {
			t.Fatal(err)
		}
		if ready, err := p.wait(time.Time{}); err != nil || len(ready) != 1 || int(ready[0].Fd) != event {
			t.Fatalf("%v, %v", ready, err)
		}
		unix.Close(event)
		if ready, err := p.wait(time.Now().Add(time.Millisecond)); err != nil || len(ready) != 0 {
			t.Fatalf("closed: %v, %v", ready, err)
		}
	}
}
