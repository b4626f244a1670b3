package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/account"
	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
)

// dead is the value that a looker notes if there is none.
const dead = 1 << 40

// A looker notes the value of another function at each packet. EARLY is placed before the
// other function; RESETTER resets it after reading.
type looker struct {
	ref    *flib.Ref
	seen   []uint64
	early  bool
	resets bool
}

func (l *looker) Process(in []*flib.Packet) []*flib.Packet {
	for range in {
		v, ok := l.ref.Value()
		if !ok {
			v = dead
		}
		l.seen = append(l.seen, v)
		if l.resets {
			l.ref.Reset()
		}
	}
	return in
}

type earlyLooker struct{ *looker }

func (l earlyLooker) Precedes() []*flib.Ref { return []*flib.Ref{l.ref} }

// lookers is a library of functions that refer to others. all holds the instances in order
// of creation.
func lookers(all *[]*looker) flib.Library {
	args := []flib.Arg{{Name: "fd", Kind: flib.Flow}, {Name: "fid", Kind: flib.Func}}
	def := func(name string, l looker) flib.Def {
		return flib.Def{Name: name, Args: args, New: func(_ context.Context, env flib.Env, a flib.Args) (flib.Function, error) {
			fn := l
			var err error
			if fn.ref, err = env.Refer(a.Int(0), a.Int(1)); err != nil {
				return nil, mapierr.Wrap(mapierr.BadArgument(0), name, err)
			}
			*all = append(*all, &fn)
			if fn.early {
				return earlyLooker{&fn}, nil
			}
			return &fn, nil
		}}
	}
	return flib.Library{Name: "lookers", Functions: []flib.Def{
		def("LOOK", looker{}), def("EARLY", looker{early: true}), def("RESETTER", looker{resets: true}),
	}}
}

func udps(ports ...uint16) (pkts []drivers.Packet) {
	for i, p := range ports {
		pkts = append(pkts, udp(p, uint32(i)))
	}
	return pkts
}

// TestReferences reads counters from functions at all positions while one batch passes. The
// value read covers the packets up to the one before, or up to the current one.
func TestReferences(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fd, _ := c.flow(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"), fn("LOOK", int64(1), int64(2)), fn("EARLY", int64(1), int64(2)))
	after, _ := c.flow(fn("LOOK", int64(1), int64(2)))
	for _, f := range []int32{fd, after} {
		if err := c.Connect(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	b.source.Send(udps(53, 80, 53, 53, 80)...)
	for i, want := range [][]uint64{{1, 2, 3}, {0, 1, 2}, {1, 1, 2, 3, 3}} {
		if !slices.Equal(all[i].seen, want) {
			t.Errorf("looker %d saw %d, want %d", i, all[i].seen, want)
		}
	}
}

// TestDeadReferences closes the flow whose result is read, and connects such a flow late.
func TestDeadReferences(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	target, _ := c.flow(fn("PKT_COUNTER"))
	c.connected(fn("LOOK", int64(target), int64(1)))
	b.source.Send(udps(1)...)
	if err := c.Connect(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	b.source.Send(udps(1, 1)...)
	if err := c.CloseFlow(target); err != nil {
		t.Fatal(err)
	}
	c.connected(fn("PKT_COUNTER")) // in the memory of the closed one
	b.source.Send(udps(1, 1)...)
	if want := []uint64{dead, 1, 2, dead, dead}; !slices.Equal(all[0].seen, want) {
		t.Errorf("saw %d, want %d", all[0].seen, want)
	}
}

func TestReset(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	other := b.driver.Add("net1", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, Snap: 65535, HostClock: true})
	b.engine.AddDevice(DeviceSpec{Name: "net1", Driver: "fake"})
	c := b.client(1)
	fd, near := c.connected(fn("PKT_COUNTER"))
	c.connected(fn("RESETTER", int64(fd), int64(1)))
	b.source.Send(udps(1, 1, 1)...)
	wantCount(t, "reset by every packet", near[0], 0)
	if !slices.Equal(all[0].seen, []uint64{1, 1, 1}) {
		t.Errorf("saw %d", all[0].seen)
	}

	// A function of another device asks; the target is reset by its own device.
	far, r := c.connected(fn("PKT_COUNTER"))
	fd, _ = c.flowOn("net1", fn("RESETTER", int64(far), int64(3)))
	if err := c.Connect(t.Context(), fd); err != nil {
		t.Fatal(err)
	}
	b.source.Send(udps(1, 1, 1)...)
	other.Send(udps(1, 1)...)
	wantCount(t, "before the next packet", r[0], 3) // the function that asked reads 0
	b.source.Send(udps(1, 1)...)
	wantCount(t, "after it", r[0], 2)
	if !slices.Equal(all[1].seen, []uint64{3, 0}) {
		t.Errorf("saw %d", all[1].seen)
	}
}

// TestForeignReferences tests that references to flows of other sessions, and to functions
// without a result, are refused.
func TestForeignReferences(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c, other := b.client(1), b.client(1)
	mine, _ := c.flow(fn("PKT_COUNTER"), fn("BPF_FILTER", "udp"))
	other.flow(fn("PKT_COUNTER"))
	other.flow(fn("PKT_COUNTER"))
	for what, target := range map[string][2]int64{
		"flow that is not there": {99, 1}, "function that is not there": {int64(mine), 99}, "function without result": {int64(mine), 2},
		"function of another flow": {int64(mine), 3}, "flow 0": {0, 0}, "negative flow": {-1, -1}, "flow of another client": {2, 4},
	} {
		f, _ := c.flow()
		_, err := c.Apply(t.Context(), f, "LOOK", []any{target[0], target[1]})
		wantCode(t, what, err, mapierr.InvalidArgument1)
		if err := c.CloseFlow(f); err != nil {
			t.Error(err)
		}
	}
}

// TestTiedChainsSeeWhatOthersSee sends batches of all sizes to flows with filters, some in
// lockstep and some not. The counts do not depend on it.
func TestTiedChainsSeeWhatOthersSee(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	var want [4]uint64
	var inStep, free [4]*shm.Reader
	for port := range 4 {
		filter := fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", port))
		fd, r := c.connected(filter, fn("PKT_COUNTER"))
		c.connected(fn("LOOK", int64(fd), int64(5*port+2)))
		_, s := c.connected(filter, fn("PKT_COUNTER"))
		inStep[port], free[port] = r[1], s[1]
	}
	for size := 1; size <= drivers.MaxBatch; size += 51 {
		var ports []uint16
		for i := range size {
			ports = append(ports, uint16(i*i%7))
			if p := i * i % 7; p < 4 {
				want[p]++
			}
		}
		b.source.Send(udps(ports...)...)
	}
	for port := range 4 {
		wantCount(t, fmt.Sprintf("port %d, looked at", port), inStep[port], want[port])
		wantCount(t, fmt.Sprintf("port %d", port), free[port], want[port])
	}
}

// A clock notes the times with which it is called.
type clock struct {
	*looker
	times []uint64
}

func (c *clock) Deadline() uint64 { return 0 }

func (c *clock) Expire(now uint64) []*flib.Packet {
	v, _ := c.ref.Value()
	c.times = append(c.times, now, v)
	return nil
}

// TestTimeOfTiedChains tests that functions which refer to others get the time of each packet
// before the packet, whatever the batches are.
func TestTimeOfTiedChains(t *testing.T) {
	var told *clock
	lib := flib.Library{Name: "clocks", Functions: []flib.Def{{
		Name: "CLOCK", Args: []flib.Arg{{Name: "fd", Kind: flib.Flow}, {Name: "fid", Kind: flib.Func}},
		New: func(_ context.Context, env flib.Env, a flib.Args) (flib.Function, error) {
			ref, err := env.Refer(a.Int(0), a.Int(1))
			told = &clock{looker: &looker{ref: ref}}
			return told, err
		},
	}}}
	b := newBed(t, lib)
	c := b.client(1)
	fd, _ := c.connected(fn("PKT_COUNTER"))
	c.connected(fn("BPF_FILTER", "udp dst port 9"), fn("CLOCK", int64(fd), int64(1)))
	pkts := udps(1, 9, 1)
	b.source.Send(pkts...)
	want := []uint64{pkts[0].TS, 0, pkts[1].TS, 1, pkts[2].TS, 2}
	if !slices.Equal(told.times, want) {
		t.Errorf("times and values %d, want %d", told.times, want)
	}
}

// TestClosingWhatIsWaitedFor closes an unconnected flow for which others wait. They are
// notified between two batches.
func TestClosingWhatIsWaitedFor(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	late, _ := c.flow()
	list := fmt.Sprint(late)
	_, a := c.connected(fn("SYNC", list), fn("PKT_COUNTER"))
	_, z := c.connected(fn("SYNC", list), fn("PKT_COUNTER"))
	b.source.Send(udps(1, 1)...)
	s := c.flows.get(late)
	if err := c.CloseFlow(late); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.started.Connected(); ok {
		t.Error("told outside of a batch")
	}
	b.source.Send(udps(1, 1, 1)...)
	wantCount(t, "first", a[1], 3)
	wantCount(t, "second", z[1], 3)
}

// TestSeriesOnTheQuota tests that a series is charged for its memory, not for its contents.
func TestSeriesOnTheQuota(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fd, _ := c.flow(fn("PKT_COUNTER"))
	before := c.taken(account.Memory)
	series, _ := c.flow(fn("BUCKET", int64(fd), int64(1), "1s", int64(0)))
	if got := c.taken(account.Memory) - before; got < 64<<10 || c.taken(account.Buffers) != 1 {
		t.Errorf("%d bytes, %d rings", got, c.taken(account.Buffers))
	}
	if err := c.CloseFlow(series); err != nil {
		t.Fatal(err)
	}
	if c.taken(account.Memory) != before || c.taken(account.Buffers) != 0 {
		t.Errorf("after close %d bytes, %d rings", c.taken(account.Memory)-before, c.taken(account.Buffers))
	}
	b.limit(account.Buffers, 0)
	f, _ := c.flow()
	_, err := c.Apply(t.Context(), f, "TO_BUFFER", nil)
	wantCode(t, "one ring too many", err, mapierr.Memory)
}

// TestReadersAreKnown tests that a function knows the captures of its readers, so that
// closing it needs no search.
func TestReadersAreKnown(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	b.driver.Add("net1", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, Snap: 65535, HostClock: true})
	b.engine.AddDevice(DeviceSpec{Name: "net1", Driver: "fake"})
	c := b.client(1)
	fd, _ := c.flow(fn("PKT_COUNTER"), fn("LOOK", int64(1), int64(1)))
	look := fn("LOOK", int64(fd), int64(1))
	near, _ := c.flow(look, look)
	far, _ := c.flowOn("net1", look)
	f, err := c.Session.flow(fd)
	if err != nil {
		t.Fatal(err)
	}
	here, there := b.engine.devices[0].cur, b.engine.devices[1].cur
	for _, step := range []struct {
		closed int32
		want   map[*capture]int
	}{{0, map[*capture]int{here: 3, there: 1}}, {near, map[*capture]int{here: 1, there: 1}}, {far, map[*capture]int{here: 1}}, {fd, nil}} {
		if step.closed != 0 {
			wantCode(t, "close", c.CloseFlow(step.closed), 0)
		}
		if got := f.functions[0].readers; !maps.Equal(got, step.want) {
			t.Errorf("after flow %d was closed: %v, want %v", step.closed, got, step.want)
		}
	}
}
