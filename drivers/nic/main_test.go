package nic

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/leak"
	"gomapi/internal/testnet"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A recorder is a Sink that copies its packets.
type recorder struct {
	hold     <-chan struct{} // if set, Batch waits until it is closed
	more     chan struct{}   // signals after every batch
	complete chan int        // number of packets at each request for complete results

	mu  sync.Mutex
	got []drivers.Packet
}

func newRecorder() *recorder {
	return &recorder{more: make(chan struct{}, 1), complete: make(chan int, 1)}
}

func (r *recorder) Batch(pkts []drivers.Packet) {
	if r.hold != nil {
		<-r.hold
	}
	r.mu.Lock()
	for _, p := range pkts {
		p.Link = bytes.Clone(p.Link)
		r.got = append(r.got, p)
	}
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *recorder) Pause(lag, hold time.Duration) time.Time {
	if lag == 0 {
		select {
		case r.complete <- len(r.packets()):
		default:
		}
	}
	return time.Time{}
}

func (r *recorder) packets() []drivers.Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// until waits until done returns true; it checks after every batch.
func (r *recorder) until(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.After(testnet.Patience)
	for !done() {
		select {
		case <-r.more:
		case <-deadline:
			t.Fatalf("timeout: %s; %d packets arrived", what, len(r.packets()))
		}
	}
}

// await waits for n packets and returns all packets so far.
func (r *recorder) await(t testing.TB, n int) []drivers.Packet {
	t.Helper()
	r.until(t, "the packets", func() bool { return len(r.packets()) >= n })
	return r.packets()
}

// A session is a running device.
type session struct {
	dev    drivers.Device
	cancel context.CancelFunc
	ended  chan error
}

func mustOpen(t testing.TB, name string, params map[string]string) drivers.Device {
	t.Helper()
	dev, err := Driver{}.Open(context.Background(), drivers.Config{Device: name, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev
}

func start(t testing.TB, dev drivers.Device, s drivers.Sink) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &session{dev: dev, cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- dev.Run(ctx, s) }()
	return r
}

// stop ends the run and closes the device.
func (r *session) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	if err := r.wait(t); err != nil {
		t.Errorf("Run: %v", err)
	}
	r.close(t)
}

// end waits for Run, closes the device and returns the error of Run.
func (r *session) end(t testing.TB) error {
	t.Helper()
	defer r.cancel()
	err := r.wait(t)
	r.close(t)
	return err
}

func (r *session) close(t testing.TB) {
	t.Helper()
	if err := r.dev.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// wait waits for Run.
func (r *session) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(testnet.Patience):
		t.Fatal("Run does not return")
		return nil
	}
}

func send(t testing.TB, s *testnet.Sender, frames ...[]byte) {
	t.Helper()
	for _, f := range frames {
		if err := s.Send(f); err != nil {
			t.Fatal(err)
		}
	}
}

// sameFrames checks that got are exactly these frames, complete and in order.
func sameFrames(t testing.TB, got []drivers.Packet, frames [][]byte) {
	t.Helper()
	if len(got) != len(frames) {
		t.Fatalf("%d packets for %d frames", len(got), len(frames))
	}
	for i, p := range got {
		if !bytes.Equal(p.Link, frames[i]) || int(p.Wire) != len(frames[i]) {
			t.Fatalf("packet %d: %d bytes of %d: %x\nwant %d bytes: %x",
				i, len(p.Link), p.Wire, p.Link, len(frames[i]), frames[i])
		}
	}
}
