package wire

import (
	"errors"
	"io"
	"net"
	"testing"
)

// full sends until the peer's queue is full, and returns the number of
// messages.
func full(t *testing.T, c *Conn) (sent int) {
	t.Helper()
	for {
		err := c.TrySend(&Request{Id: uint64(sent + 1)})
		if errors.Is(err, ErrNotNow) {
			return sent
		}
		if err != nil {
			t.Fatal(err)
		}
		sent++
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	out, in := conns(t)
	sent := full(t, out)
	done := make(chan error, 1)
	go func() { done <- out.Send(&Request{Id: uint64(sent + 1)}) }()
	for i := range sent + 1 {
		var m Request
		if _, err := in.Receive(&m); err != nil || m.Id != uint64(i+1) {
			t.Fatalf("message %d of %d: %v, %v", i+1, sent+1, &m, err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := in.TryReceive(&Request{}); err != ErrNotNow {
		t.Errorf("no record: %v, want ErrNotNow", err)
	}
}

func TestCloseWakesAll(t *testing.T) {
	out, in := conns(t)
	full(t, out)
	got := make(chan error, 3)
	go func() { got <- out.Send(&Request{Id: 1}) }()
	go func() { got <- out.Await() }()
	go func() { got <- out.AwaitHangUp() }()
	out.Close()
	for range cap(got) {
		if err := <-got; !errors.Is(err, net.ErrClosed) {
			t.Errorf("this end is closed: %v, want net.ErrClosed", err)
		}
	}
	if err := in.AwaitHangUp(); err != nil {
		t.Errorf("the other end is closed, and there are records: %v", err)
	}
	for {
		if _, err := in.Receive(&Request{}); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("after the last record: %v, want EOF", err)
			}
			return
		}
	}
}

// TestRecordsWhileMuted checks that records wake the waiting goroutine after
// Unmute, and not before.
func TestRecordsWhileMuted(t *testing.T) {
	out, in := conns(t)
	in.Mute()
	awake := make(chan error, 1)
	if err := out.Send(&Request{Id: 1}); err != nil {
		t.Fatal(err)
	}
	in.Unmute()
	go func() { awake <- in.Await() }()
	if err := <-awake; err != nil {
		t.Fatal(err)
	}
	if _, err := in.TryReceive(&Request{}); err != nil {
		t.Fatal(err)
	}
	go func() { awake <- in.Await() }()
	if err := out.Send(&Request{Id: 2}); err != nil {
		t.Fatal(err)
	}
	if err := <-awake; err != nil {
		t.Error(err)
	}
}
