package datapath

import (
	"fmt"
	"testing"
	"time"
	"unique"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/segment"
	"gomapi/internal/share"
)

// filter is a leading filter.
type filter struct{ program *bpf.Program }

func (f filter) Process(in []*pkt.Packet) []*pkt.Packet { return in }
func (f filter) Program(uint16) *bpf.Program            { return f.program }

// newEven makes a filter that lets packets through whose first byte is 0.
func newEven(t *testing.T) filter {
	p, err := bpf.NewProgram([]bpf.RawInstruction{
		{Op: 0x30}, {Op: 0x15, Jt: 0, Jf: 1}, {Op: 0x06, K: 1}, {Op: 0x06}, // ldb [0]; jeq #0; ret #1; ret #0
	})
	if err != nil {
		t.Fatal(err)
	}
	return filter{p}
}

// mixed is packets half of which the filter lets through.
func mixed(n int) []pkt.Packet {
	pkts := packets(n)
	for i := range pkts {
		pkts[i].Link[0] = byte(i % 2)
	}
	return pkts
}

// world is a loop with one chain in each of several places of the plan, which count.
type world struct {
	t        *testing.T
	loop     *Loop
	chains   []*chain.Chain
	counters []*counter
}

// newWorld makes the chains of a share: unmerged, in lockstep, in a segment alone behind its
// filter, in one with a function that two share, and behind such a function.
func newWorld(t *testing.T, s *share.Share) *world {
	w := &world{t: t, loop: New(Options{LinkType: 1, Live: true})}
	w.loop.Run()
	match := newEven(t)
	for i := range 7 {
		c := &counter{}
		functions := []*chain.Instance{of(c)}
		filter := &chain.Instance{Def: &flib.Def{}, Fn: match, Classifier: match}
		switch i {
		case 0, 2:
			functions = []*chain.Instance{filter, of(c)}
		case 3, 4:
			functions[0].ShareKey = unique.Make("count")
		case 5, 6:
			first := of(&counter{})
			first.ShareKey = unique.Make("first")
			functions = []*chain.Instance{filter, first, of(c)}
		}
		ch := chainOf(int64(i+1), functions...)
		ch.Share = s
		w.loop.Connect(ch, i == 1)
		w.chains, w.counters = append(w.chains, ch), append(w.counters, c)
	}
	return w
}

// merge builds a segment of all chains but the first two that are not passed by.
func (w *world) merge() {
	var list []segment.Candidate
	for _, ch := range w.chains[2:] {
		if !ch.PassedBy {
			list = append(list, segment.Candidate{Chain: ch, CaughtUp: true})
		}
	}
	old := w.loop.Segments()
	w.loop.Merge(segment.Build(list, []uint16{1}, w.t.Logf), old)
}

// check compares what each chain has counted, and what it has missed, with a number of packets.
func (w *world) check(when string, got, missed int) {
	w.t.Helper()
	w.loop.Pause(0, -1)
	for i, ch := range w.chains {
		n, counted := uint64(got), w.counters[i].total.Load()
		if ch.Prefilter != nil {
			n /= 2
		}
		if m, _ := w.loop.Missed(ch); m != uint64(missed) || counted != n {
			w.t.Errorf("%s: chain %d has counted %d and missed %d, want %d and %d", when, ch.ID, counted, m, n, missed)
		}
		t := w.loop.Tally(ch, len(ch.Steps)-1)
		if t.Packets != n || t.Passed() != n {
			w.t.Errorf("%s: the books of chain %d have %d packets, %d passed", when, ch.ID, t.Packets, t.Passed())
		}
		if arrived := w.loop.Arrived(ch); ch.Prefilter != nil && arrived != n || ch.Prefilter == nil && arrived != uint64(got+missed) {
			w.t.Errorf("%s: %d packets have arrived at chain %d", when, arrived, ch.ID)
		}
	}
}

// Chains that are passed by get no packets and miss exactly these, wherever they stand in the
// plan, whether the loop learns of it at once or not.
func TestPassBy(t *testing.T) {
	const n = 100
	w := newWorld(t, share.New(&share.Payer{}))
	w.merge()
	batch := func() { w.loop.Batch(mixed(n)) }
	batch()
	w.check("at first", n, 0)
	w.loop.PassBy(w.chains)
	if w.loop.Passing() || w.loop.Left() {
		t.Error("all is done before it is")
	}
	batch()
	batch()
	w.check("passed by", n, 2*n)
	if !w.loop.Passing() || len(w.loop.Unmerged()) != 0 {
		t.Error("chains that are passed by are in the plan")
	}
	if w.merge(); !w.loop.Left() {
		t.Error("chains that are passed by are in a segment")
	}
	w.loop.Return(w.chains, nil)
	batch()
	w.check("back", 2*n, 2*n)
	w.merge()
	batch()
	w.check("merged again", 3*n, 2*n)
	w.loop.PassBy(w.chains)
	w.merge()
	w.loop.Return(w.chains, nil) // the loop has not seen any of it
	var list []segment.Candidate
	for _, ch := range w.chains[2:] {
		list = append(list, segment.Candidate{Chain: ch, Alone: ch.Detaching(), CaughtUp: true})
	}
	w.loop.Merge(segment.Build(list, []uint16{1}, t.Logf), nil)
	batch()
	w.check("passed by for no batch", 4*n, 2*n)
	w.loop.PassBy(w.chains)
	batch()
	w.merge()
	list = nil
	for _, ch := range w.chains[2:] {
		list = append(list, segment.Candidate{Chain: ch, CaughtUp: true})
	}
	w.loop.Return(w.chains, segment.Build(list, []uint16{1}, t.Logf))
	batch()
	w.check("back in a segment", 5*n, 3*n)
}

// A segment that was built before its chains were passed by does not run them.
func TestPassByWhileMerging(t *testing.T) {
	const n = 10
	for _, again := range []bool{false, true} {
		w := newWorld(t, nil)
		if again {
			w.merge()
		}
		var list []segment.Candidate
		for _, ch := range w.chains[2:] {
			list = append(list, segment.Candidate{Chain: ch, CaughtUp: true})
		}
		s := segment.Build(list, []uint16{1}, t.Logf)
		w.loop.PassBy(w.chains)
		w.loop.Merge(s, w.loop.Segments())
		w.loop.Batch(mixed(n))
		w.check("merged while passed by", 0, n)
		if w.loop.Left() {
			t.Error("the segment does not tell that it has chains that are passed by")
		}
	}
}

// always is a function that wants to be called at each moment.
type always struct {
	process
	calls int
}

func (a *always) Deadline() uint64                { return uint64(a.calls) }
func (a *always) Expire(now uint64) []*pkt.Packet { a.calls++; return nil }

// The deadlines of chains that are passed by are not looked at until they are back.
func TestDeadlinesOfThePassed(t *testing.T) {
	l := New(Options{LinkType: 1, Live: true})
	l.Run()
	a := &always{process: func(in []*pkt.Packet) []*pkt.Packet { return in }}
	ch := chainOf(1, of(a))
	l.Connect(ch, false)
	l.Batch(packets(100))
	l.Batch(packets(100))
	calls := a.calls
	l.PassBy([]*chain.Chain{ch})
	for range 5 {
		l.Batch(packets(100))
	}
	if calls == 0 || a.calls != calls {
		t.Errorf("%d calls, and %d more while the chain is passed by", calls, a.calls-calls)
	}
	l.Return([]*chain.Chain{ch}, nil)
	l.Batch(packets(100))
	l.Batch(packets(100))
	if a.calls == calls {
		t.Error("no call after it is back")
	}
}

// burn is a function that takes time of a synthetic clock for each packet.
type burn struct {
	clock *int64
	each  time.Duration
}

func (b burn) Process(in []*pkt.Packet) []*pkt.Packet {
	*b.clock += int64(b.each) * int64(len(in))
	return in
}

// metered makes a loop with a synthetic clock, all of whose batches are metered.
func metered() (*Loop, *int64) {
	now := new(int64)
	l := New(Options{LinkType: 1, Live: true, Fullness: func() int { return share.Filling }, Filling: func() {}})
	l.host.Meter.SetClocks(func() int64 { return *now }, func() int64 { return *now })
	l.Run()
	return l, now
}

// Costs are charged to whom they belong: of unmerged chains and of chains in lockstep, of
// shared nodes, suffixes and accumulators, and of analysers.
func TestCosts(t *testing.T) {
	l, now := metered()
	shares := make([]*share.Share, 3)
	for i := range shares {
		shares[i] = share.New(&share.Payer{})
	}
	add := func(id int64, s int, lockstep bool, functions ...*chain.Instance) segment.Candidate {
		c := chainOf(id, functions...)
		c.Share = shares[s]
		l.Connect(c, lockstep)
		return segment.Candidate{Chain: c, CaughtUp: true}
	}
	burns := func(each time.Duration, key string) *chain.Instance {
		a := of(burn{now, each})
		if key != "" {
			a.ShareKey = unique.Make(key)
		}
		return a
	}
	add(1, 0, false, burns(time.Microsecond, ""))
	add(2, 1, true, burns(2*time.Microsecond, ""))
	list := []segment.Candidate{
		add(3, 0, false, burns(4*time.Microsecond, "both")),
		add(4, 2, false, burns(4*time.Microsecond, "both"), burns(8*time.Microsecond, "")),
	}
	l.Merge(segment.Build(list, []uint16{1}, t.Logf), nil)
	an := &Analysis{Analyser: analyser(func(n int) { *now += int64(n) * int64(16*time.Microsecond) })}
	bill := new(share.Bill)
	bill.Add(shares[1], 1)
	an.Bill.Store(bill)
	l.Analyse(an)
	for range 2 * meterEvery {
		l.Batch(packets(10))
	}
	for i, want := range []time.Duration{1 + 2, 2 + 16, 2 + 8} { // us a packet
		if got := shares[i].Spent() / (2 * meterEvery * 10); got < want*time.Microsecond*9/10 || got > want*time.Microsecond*11/10 {
			t.Errorf("share %d is charged %v a packet, want %v us", i, got, int(want))
		}
	}
}

// Filters that must run for every packet are not charged to those whose filters are decided together,
// however many these are.
func TestCostOfSingleFilters(t *testing.T) {
	l := New(Options{LinkType: 1, Live: true, Fullness: func() int { return share.Filling }, Filling: func() {}})
	l.Run()
	few, many := share.New(&share.Payer{}), share.New(&share.Payer{})
	var list []segment.Candidate
	add := func(s *share.Share, program []bpf.RawInstruction) {
		p, err := bpf.NewProgram(program)
		if err != nil {
			t.Fatal(err)
		}
		c := chainOf(int64(len(list)), &chain.Instance{Def: &flib.Def{}, Fn: filter{p}, Classifier: filter{p}}, of(&counter{}))
		c.Share = s
		l.Connect(c, false)
		list = append(list, segment.Candidate{Chain: c, User: uint32(len(list)), CaughtUp: true})
	}
	const single = 40
	for i := range uint32(single) { // ld #5000; sub #1; jeq #i, end; ja sub; end: ret #0
		add(few, []bpf.RawInstruction{{Op: 0x00, K: 5000}, {Op: 0x14, K: 1}, {Op: 0x15, K: i, Jt: 1}, {Op: 0x05, K: 1<<32 - 3}, {Op: 0x06}})
	}
	for i := range uint32(1000) {
		add(many, []bpf.RawInstruction{{Op: 0x20}, {Op: 0x15, K: 1 + i, Jf: 1}, {Op: 0x06, K: 1}, {Op: 0x06}}) // ld [0]; jeq
	}
	s := segment.Build(list, []uint16{1}, t.Logf)
	if n := s.Stats().SingleFilters; n != single {
		t.Fatalf("%d filters run singly", n)
	}
	l.Merge(s, nil)
	for range 2 * meterEvery {
		l.Batch(packets(32))
	}
	if many.Spent() > few.Spent()/2 {
		t.Errorf("%d filters that run singly are charged %v, the others %v", single, few.Spent(), many.Spent())
	}
}

// Looking for the packets of chains in lockstep is charged to those whose chains they are, and not to
// whoever came before.
func TestCostOfLockstep(t *testing.T) {
	const chains = 5000
	l := New(Options{LinkType: 1, Live: true, Fullness: func() int { return share.Filling }, Filling: func() {}})
	l.Run()
	many, before := share.New(&share.Payer{}), share.New(&share.Payer{})
	match := newEven(t)
	var list []segment.Candidate
	for i := range int64(chains) {
		c := chainOf(i, &chain.Instance{Def: &flib.Def{}, Fn: match, Classifier: match}, of(&counter{}))
		c.Share = many
		l.Connect(c, true)
		list = append(list, segment.Candidate{Chain: c, Alone: true, CaughtUp: true})
	}
	l.Merge(segment.Build(list, []uint16{1}, t.Logf), nil)
	c := chainOf(chains, of(&counter{}))
	c.Share = before
	l.Connect(c, false)
	pkts := mixed(2 * 64)
	for i := range pkts {
		pkts[i].Link[0] = 1 // for none of the many
	}
	for range 4 * meterEvery {
		l.Batch(pkts)
	}
	if before.Spent() > many.Spent() {
		t.Errorf("one chain is charged %v, %d chains in lockstep %v", before.Spent(), chains, many.Spent())
	}
}

// In a metered batch of a device that fills, a share gets its most, and the rest counts as
// missed, whether it was to be done by whole chains or by the rest of them.
func TestCutShort(t *testing.T) {
	const flows, n = 100, 10
	l, now := metered()
	l.SetRivals(true)
	dear, other := share.New(&share.Payer{}), share.New(&share.Payer{})
	var list []segment.Candidate
	var done uint64
	count := process(func(in []*pkt.Packet) []*pkt.Packet {
		done += uint64(len(in))
		*now += int64(time.Millisecond)
		return in
	})
	for i := range flows {
		first := of(&counter{})
		first.ShareKey = unique.Make(fmt.Sprint(i % 2))
		c := chainOf(int64(i), first, of(count))
		c.Share = dear
		l.Connect(c, i%10 == 9 && i > flows/2)
		list = append(list, segment.Candidate{Chain: c, CaughtUp: true})
	}
	var victim counter
	v := chainOf(flows, of(&victim))
	v.Share = other
	l.Connect(v, false)
	half := list[:flows/2]
	l.Merge(segment.Build(half, []uint16{1}, t.Logf), nil)
	l.Batch(packets(n)) // learns that the device fills
	done = 0
	missed := func() (sum uint64) {
		for _, c := range list {
			m, u := l.Missed(c.Chain)
			if sum += m + u; (u > 0) && c.Chain.ID >= flows/2 || (m > 0) && c.Chain.ID < flows/2 {
				t.Errorf("chain %d has missed %d, %d behind shared functions", c.Chain.ID, m, u)
			}
		}
		return sum
	}
	before := missed()
	for range 4 * meterEvery {
		l.Batch(packets(n))
	}
	if got := missed() - before + done; got != 4*meterEvery*n*flows {
		t.Errorf("%d packets times flows are accounted for, want %d", got, 4*meterEvery*n*flows)
	}
	if most := uint64(4*meterEvery) * n * 20; done > most {
		t.Errorf("%d packets times flows were processed, want %d at most", done, most)
	}
	if m, _ := l.Missed(list[flows-1].Chain); m == 0 {
		t.Error("the chain in lockstep was not cut short")
	}
	if victim.total.Load() != (4*meterEvery+1)*n {
		t.Errorf("the other flow got %d packets", victim.total.Load())
	}
}

// A chain that has failed misses nothing any more: its books are closed.
func TestNothingMissedAfterFault(t *testing.T) {
	l, now := metered()
	l.host.Fault = func(_ *chain.Fault, users []*chain.Chain) {
		for _, c := range users {
			c.Expel()
		}
	}
	dear := share.New(&share.Payer{})
	broken := of(process(func([]*pkt.Packet) []*pkt.Packet { panic("broken") }))
	var chains []*chain.Chain
	for i, in := range []*chain.Instance{of(burn{now, time.Second}), broken, broken} {
		c := chainOf(int64(i), in)
		c.Share = dear
		l.Connect(c, i == 2)
		chains = append(chains, c)
	}
	l.Batch(packets(1))
	l.SetRivals(true) // from now on the first chain takes the most of the share
	for range 2 * meterEvery {
		l.Batch(packets(1))
	}
	for _, c := range chains[1:] {
		if n, _ := l.Missed(c); !c.Failed() || n != 0 {
			t.Errorf("chain %d has failed and missed %d packets", c.ID, n)
		}
	}
}

// analyser is an analyser made of a Go func, which gets the number of packets.
type analyser func(n int)

func (a analyser) Analyse(pkts []pkt.Packet, _ []uint8) { a(len(pkts)) }
