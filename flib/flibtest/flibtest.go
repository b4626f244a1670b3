// Package flibtest runs a single function, for tests of function libraries.
package flibtest

import (
	"context"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/ring"
	"gomapi/internal/shm"
	"gomapi/internal/table"
)

// EN10MB is the link type of a Bench: Ethernet.
const EN10MB = 1

// A Bench runs one instance of a function.
type Bench struct {
	t        testing.TB
	Function flib.Function
	Ring     *flib.Ring  // nil: no packet buffer
	result   *shm.Reader // nil: no result
	entries  *ring.Reader
}

// New creates an instance of the named function and connects it. The end of the test
// closes it.
func New(t testing.TB, lib flib.Library, name string, args ...any) *Bench {
	t.Helper()
	return NewWorld(t).New(lib, name, args...)
}

// Apply creates an instance with args (int64, uint64, string or flib.OpenFile), as in a
// flow that is not connected yet.
func Apply(t testing.TB, lib flib.Library, name string, args ...any) (*Bench, error) {
	t.Helper()
	return NewWorld(t).Apply(lib, name, args...)
}

// New is like the function New, in this world.
func (w *World) New(lib flib.Library, name string, args ...any) *Bench {
	w.t.Helper()
	b, err := w.Apply(lib, name, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	b.start()
	return b
}

// Apply is like the function Apply, in this world.
func (w *World) Apply(lib flib.Library, name string, args ...any) (*Bench, error) {
	w.t.Helper()
	t, seg := w.t, w.segment
	found, err := flib.NewRegistry(lib).Find(name, "1.3")
	if err != nil {
		return nil, err
	}
	if err := found.CheckFields(); err != nil {
		t.Error(err)
	}
	checked, err := found.Check(args)
	if err != nil {
		return nil, err
	}
	e := &env{World: w}
	b := &Bench{t: t}
	if b.Function, err = found.New(context.Background(), e, checked); err != nil {
		return nil, err
	}
	if e.slot != nil {
		b.result = reader(t, seg, e.slot)
	}
	if b.Ring = e.ring; b.Ring != nil {
		t.Cleanup(func() { b.Ring.Close() })
	}
	return b, nil
}

// start does the same as connect.
func (b *Bench) start() {
	b.t.Helper()
	if lt, ok := b.Function.(flib.LinkTyper); ok {
		if err := lt.AddLinkType(context.Background(), EN10MB); err != nil {
			b.t.Fatal(err)
		}
	}
	if st, ok := b.Function.(flib.Starter); ok {
		if err := st.Start(); err != nil {
			b.t.Fatal(err)
		}
	}
	b.t.Cleanup(func() {
		if c, ok := b.Function.(flib.Closer); ok {
			if err := c.Close(); err != nil {
				b.t.Error(err)
			}
		}
	})
}

// reader maps the result as a client does.
func reader(t testing.TB, seg *shm.Segment, slot *shm.Slot) *shm.Reader {
	fd, err := unix.FcntlInt(seg.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	view, err := shm.NewView(os.NewFile(uintptr(fd), "view"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { view.Close() })
	r, err := view.Reader(slot.Offset(), slot.Size())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Process passes packets through the function in one batch and returns those that go on.
func (b *Bench) Process(pkts ...*flib.Packet) []*flib.Packet { return b.Function.Process(pkts) }

// Expire tells the function that packet time has reached now, if it waits for that, and
// returns what it emits.
func (b *Bench) Expire(now uint64) (out []*flib.Packet) { return Expire(b.Function, now) }

// Expire is like Bench.Expire for a function. The packets are copies.
func Expire(fn flib.Function, now uint64) (out []*flib.Packet) {
	f, ok := fn.(flib.Expirer)
	if !ok || f.Deadline() > now {
		return nil
	}
	return drain(func() []*flib.Packet { return f.Expire(now) })
}

// drain calls more until it returns nothing, and copies what it has returned before.
func drain(more func() []*flib.Packet) (all []*flib.Packet) {
	for list := more(); len(list) > 0; list = more() {
		for _, p := range list {
			c := *p
			c.Link = slices.Clone(p.Link)
			all = append(all, &c)
		}
	}
	return all
}

// Result reads the result as a client does.
func (b *Bench) Result() []byte {
	b.t.Helper()
	if b.result == nil {
		b.t.Fatal("the function has no result")
	}
	dst := make([]byte, b.result.Size())
	if err := b.result.Read(dst); err != nil {
		b.t.Fatal(err)
	}
	return dst
}

// Uint64 reads a result of one word.
func (b *Bench) Uint64() uint64 {
	b.t.Helper()
	if b.result == nil || b.result.Size() != 8 {
		b.t.Fatal("the function has no result of one word")
	}
	return b.result.Uint64()
}

// env is the world as a constructor sees it.
type env struct {
	*World
	slot *shm.Slot
	ring *flib.Ring
}

func (e *env) NewResult(size int) (*flib.Result, error) {
	var err error
	e.slot, err = e.segment.Slot(size)
	return e.slot, err
}

func (e *env) LinkType() uint16 { return e.LinkTypes()[0] }

func (e *env) LinkTypes() []uint16 {
	if len(e.Likely) > 0 {
		return e.Likely
	}
	return []uint16{EN10MB}
}

func (e *env) Live() bool { return !e.Offline }

func (e *env) Park(wait func()) { wait() }

func (e *env) Quota() table.Quota { return unlimited{} }

// unlimited grants everything.
type unlimited struct{}

func (unlimited) Charge(int) error { return nil }
func (unlimited) Release(int)      {}

func (e *env) AtClose(f func()) { e.t.Cleanup(f) }

func (e *env) Analyser(key string, make func() (flib.Analyser, error)) (*flib.Marks, error) {
	return e.analyser(key, make)
}

func (e *env) NewRing(size int) (*flib.Ring, error) {
	r, err := ring.New(size)
	e.ring = r
	return r, err
}

func (e *env) NewRecords(size int) (*flib.Records, error) {
	r, err := ring.NewRecords(size)
	if e.ring = r; err != nil {
		return nil, err
	}
	return flib.NewRecords(r, e.Offline), nil
}

func (e *env) NewSeries(size, n int) (*flib.Ring, error) {
	r, err := ring.NewSeries(size, n)
	e.ring = r
	return r, err
}

func (e *env) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	return libpcap.InProcess{}.Compile(ctx, expr, linkType)
}
