package offline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// A collector copies all packets and then overwrites the batch, because a
// device must not use the batch after the call.
type collector struct {
	pkts    []pkt.Packet
	batches int
	largest int
}

func (c *collector) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func (c *collector) Batch(pkts []pkt.Packet) {
	c.batches++
	c.largest = max(c.largest, len(pkts))
	for i := range pkts {
		p := pkts[i]
		p.Link = bytes.Clone(p.Link)
		c.pkts = append(c.pkts, p)
		clear(pkts[i].Link)
		pkts[i] = pkt.Packet{Color: 1, Flags: 0xffff}
	}
}

// own gives a file to the driver.
func own(f *os.File) *foreign.File {
	o, err := foreign.Own(f)
	if err != nil {
		panic(err)
	}
	return o
}

// read opens and runs the file at path.
func read(t testing.TB, path string) ([]pkt.Packet, drivers.Info, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		return nil, drivers.Info{}, err
	}
	defer dev.Close()
	var c collector
	err = dev.Run(t.Context(), &c)
	st := dev.Stats()
	if st.Recv != uint64(len(c.pkts))+st.Errors || (st.Errors == 1) != (err != nil) || st.Waiting != 0 {
		t.Errorf("%s: stats %+v after %d packets and error %v", path, st, len(c.pkts), err)
	}
	if c.largest > drivers.MaxBatch {
		t.Errorf("%s: a batch of %d packets", path, c.largest)
	}
	return c.pkts, dev.Info(), err
}

// readBytes reads a file with these bytes.
func readBytes(t testing.TB, b []byte) ([]pkt.Packet, drivers.Info, error) {
	t.Helper()
	return read(t, save(t, b))
}

func save(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustCode(t testing.TB, err error) {
	t.Helper()
	var e *mapierr.Error
	if !errors.As(err, &e) || e.Code != mapierr.File {
		t.Errorf("error %v carries no 6155", err)
	}
}

// endless cancels its context in the first batch.
type endless struct {
	cancel  context.CancelFunc
	batches int
}

func (e *endless) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func (e *endless) Batch([]pkt.Packet) {
	e.batches++
	e.cancel()
}

func TestRunStops(t *testing.T) {
	w := le().pcapHead(0xa1b2c3d4, 2, 4, 65535, 1)
	for i := range 10 * drivers.MaxBatch {
		w.record(uint32(i), 0, frame(60, i))
	}
	f, err := os.Open(save(t, w.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink := &endless{cancel: cancel}
	if err := dev.Run(ctx, sink); err != nil || sink.batches != 1 {
		t.Errorf("Run: %v after %d batches, want nil after 1", err, sink.batches)
	}
	for range 2 {
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	}
	if st := dev.Stats(); st.Recv != drivers.MaxBatch {
		t.Errorf("Stats after Close: %+v", st)
	}
}

// TestSharedOffset checks that two processes which share the descriptor do not
// disturb each other.
func TestSharedOffset(t *testing.T) {
	f, err := os.Open(save(t, le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1).record(1, 2, frame(9, 0)).Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(11, 0); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	other := os.NewFile(uintptr(fd), "the other's")
	defer other.Close()
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	var c collector
	if err := dev.Run(t.Context(), &c); err != nil || len(c.pkts) != 1 {
		t.Errorf("%d packets, %v", len(c.pkts), err)
	}
	if pos, err := other.Seek(0, 1); pos != 11 || err != nil {
		t.Errorf("offset moved to %d, %v", pos, err)
	}
}
