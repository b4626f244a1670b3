package flibtest

import (
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"gomapi/flib"
	"gomapi/internal/ring"
	"gomapi/internal/shm"
)

// A World holds the functions and flows to which instances can refer.
type World struct {
	// Offline says that the device is a capture file.
	Offline bool
	// Likely are the link types of the device, in order; nil means Ethernet.
	Likely []uint16

	t       testing.TB
	segment *shm.Segment
	targets map[flib.Target]*Target
	flows   map[int32]*flib.FlowRef

	analyses map[string]*analysis
}

// An analysis is an analyser with its marks.
type analysis struct {
	flib.Analyser
	marks flib.Marks
}

// analyser implements flib.Env.Analyser.
func (w *World) analyser(key string, make func() (flib.Analyser, error)) (*flib.Marks, error) {
	if a, ok := w.analyses[key]; ok {
		return &a.marks, nil
	}
	fn, err := make()
	if err != nil {
		return nil, err
	}
	a := &analysis{Analyser: fn}
	w.analyses[key] = a
	return &a.marks, nil
}

// Analyse runs the analysers for a batch. The packets that are processed next are in pkts.
func (w *World) Analyse(pkts []flib.Packet) {
	for _, a := range w.analyses {
		a.Analyse(pkts, a.marks.Begin(pkts))
	}
}

// NewWorld creates a world for one test.
func NewWorld(t testing.TB) *World {
	t.Helper()
	seg, err := shm.NewSegment()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seg.Close() })
	return &World{t: t, segment: seg, targets: make(map[flib.Target]*Target), flows: make(map[int32]*flib.FlowRef), analyses: make(map[string]*analysis)}
}

// A Target is a function whose result the test sets.
type Target struct {
	Result *flib.Result
	Live   atomic.Bool // Add sets it
	Resets int         // number of resets
	Name   string      // of the function; set it before a reference is made
	// NoReset says that the target cannot be reset. Set it before a reference is made.
	NoReset bool
}

// Add creates function fid of flow fd, with a result of size bytes.
func (w *World) Add(fd, fid int32, size int) *Target {
	w.t.Helper()
	slot, err := w.segment.Slot(size)
	if err != nil {
		w.t.Fatal(err)
	}
	t := &Target{Result: slot}
	t.Live.Store(true)
	w.targets[flib.Target{FD: fd, FID: fid}] = t
	return t
}

// AddFlow creates a flow that is not connected yet.
func (w *World) AddFlow(fd int32) *flib.FlowRef {
	w.flows[fd] = &flib.FlowRef{}
	return w.flows[fd]
}

// Refer implements flib.Env.
func (w *World) Refer(fd, fid int32) (*flib.Ref, error) {
	t, ok := w.targets[flib.Target{FD: fd, FID: fid}]
	if !ok {
		return nil, fmt.Errorf("no function %d of flow %d", fid, fd)
	}
	r := &flib.Ref{Name: t.Name, Result: t.Result, Live: &t.Live}
	if !t.NoReset {
		r.OnReset = func() {
			t.Resets++
			clear(t.Result.Begin())
			t.Result.End()
		}
	}
	return r, nil
}

// ReferFlow implements flib.Env.
func (w *World) ReferFlow(fd int32) (*flib.FlowRef, error) {
	f, ok := w.flows[fd]
	if !ok {
		return nil, fmt.Errorf("no flow %d", fd)
	}
	return f, nil
}

// Entries returns the unread entries of a series, as a client reads them.
func (b *Bench) Entries() [][]byte {
	b.t.Helper()
	if b.entries == nil {
		r, err := ring.Open(b.Ring.Files()...)
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { r.Close() })
		b.entries = r
	}
	var out [][]byte
	for {
		p, ok, err := b.entries.TryNext()
		if err == io.EOF || err == nil && !ok {
			return out
		}
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, append([]byte(nil), p.Data...))
	}
}
