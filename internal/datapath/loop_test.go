package datapath

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unique"
	"weak"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/segment"
	"gomapi/internal/testenv"
)

// counter adds up packets.
type counter struct{ total atomic.Uint64 }

func (c *counter) Process(in []*pkt.Packet) []*pkt.Packet {
	c.total.Add(uint64(len(in)))
	return in
}
func (c *counter) Sum(in []*pkt.Packet) uint64 { return uint64(len(in)) }
func (c *counter) Total() *atomic.Uint64       { return &c.total }

// process is a function made of a Go func.
type process func(in []*pkt.Packet) []*pkt.Packet

func (p process) Process(in []*pkt.Packet) []*pkt.Packet { return p(in) }

func of(fn flib.Function) *chain.Instance { return &chain.Instance{Def: &flib.Def{}, Fn: fn} }

func chainOf(id int64, functions ...*chain.Instance) *chain.Chain {
	c := chain.New(id, nil, functions, new(flib.FlowRef), new(flib.FlowRef))
	c.SetSince(time.Time{})
	return c
}

// merged makes a loop with n chains that count, in one segment.
func merged(t testing.TB, live bool, n int) (*Loop, []*counter) {
	l := New(Options{LinkType: 1, Live: live})
	l.Run()
	var counters []*counter
	var candidates []segment.Candidate
	for i := range n {
		c := &counter{}
		a := of(c)
		a.ShareKey = unique.Make("count")
		ch := chainOf(int64(i), a)
		l.Connect(ch, false)
		counters, candidates = append(counters, c), append(candidates, segment.Candidate{Chain: ch, CaughtUp: true})
	}
	l.Merge(segment.Build(candidates, []uint16{1}, t.Logf), nil)
	return l, counters
}

func packets(n int) []pkt.Packet {
	pkts := make([]pkt.Packet, n)
	for i := range pkts {
		pkts[i] = pkt.Packet{TS: uint64(i), Link: make([]byte, 60), Wire: 60, LinkType: 1}
	}
	return pkts
}

func told(counters []*counter) (n uint64) {
	for _, c := range counters {
		n += c.total.Load()
	}
	return n
}

// The sums of a file are flushed some at a time while packets come, and all at its end.
func TestFlushOfAFile(t *testing.T) {
	const n = 3 * FlushPerBatch
	l, counters := merged(t, false, n)
	pkts := packets(1)
	for i := range uint64(3) {
		l.Batch(pkts)
		if got := told(counters); got < (i+1)*FlushPerBatch || got > (i+1)*FlushPerBatch*(i+1) {
			t.Errorf("after %d batches %d packets are told", i+1, got)
		}
	}
	if err := l.Finish(); err != nil || told(counters) != 3*n {
		t.Errorf("at the end %d packets are told, want %d; %v", told(counters), 3*n, err)
	}
}

// A live device flushes at pauses.
func TestFlushAtAPause(t *testing.T) {
	l, counters := merged(t, true, 100)
	l.Batch(packets(3))
	if n := told(counters); n != 0 {
		t.Errorf("%d are told before a pause", n)
	}
	if l.Pause(0, -1); told(counters) != 300 {
		t.Errorf("%d are told, want 300", told(counters))
	}
}

func TestNoAllocationPerBatch(t *testing.T) {
	l, _ := merged(t, true, 100)
	l.Connect(chainOf(200, of(&counter{})), true)
	pkts := packets(pkt.MaxBatch)
	l.Batch(pkts)
	if n := testing.AllocsPerRun(100, func() { l.Batch(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

// Chains in lockstep see, packet by packet, the results of the chains before them.
func TestLockstep(t *testing.T) {
	l := New(Options{LinkType: 1, Live: true})
	l.Run()
	var c counter
	var seen []uint64
	l.Connect(chainOf(2, of(process(func(in []*pkt.Packet) []*pkt.Packet {
		seen = append(seen, c.total.Load())
		return in
	}))), true)
	l.Connect(chainOf(1, of(&c)), true) // created before it
	l.Batch(packets(3))
	if len(seen) != 3 || seen[0] != 1 || seen[1] != 2 || seen[2] != 3 {
		t.Errorf("saw %v, want 1, 2 and 3", seen)
	}
}

// Quiesce waits for the batch under way, if there is one, unless the batch waits for a client
// in another chain.
func TestQuiesce(t *testing.T) {
	l := New(Options{LinkType: 1})
	l.Run()
	inside, goOn := make(chan struct{}), make(chan struct{})
	var parks *chain.Instance
	parks = of(process(func(in []*pkt.Packet) []*pkt.Packet {
		inside <- struct{}{}
		<-goOn
		l.Park(parks, func() { inside <- struct{}{}; <-goOn })
		return in
	}))
	c, other := chainOf(1, parks), chainOf(2, of(&counter{}))
	l.Connect(c, false)
	l.Connect(other, false)
	l.Quiesce([]*chain.Chain{c}) // no batch
	ended := make(chan struct{})
	go func() { defer close(ended); l.Batch(packets(1)) }()
	<-inside
	quiesced := make(chan struct{})
	go func() { l.Quiesce([]*chain.Chain{other}); close(quiesced) }()
	testenv.Until(t, "somebody waits", func() bool { return l.epoch.waiters.Load() == 1 })
	select {
	case <-quiesced:
		t.Error("a batch is under way that may come upon the chain")
	default:
	}
	goOn <- struct{}{}
	<-inside // parked
	<-quiesced
	both := make(chan struct{})
	go func() { l.Quiesce([]*chain.Chain{c, other}); close(both) }()
	testenv.Until(t, "somebody waits", func() bool { return l.epoch.waiters.Load() == 1 })
	goOn <- struct{}{}
	<-both
	<-ended
}

// The loop of a silent device loads no plans; they must not accumulate.
func TestSilentLoopKeepsNothing(t *testing.T) {
	l := New(Options{LinkType: 1, Live: true})
	l.Run()
	l.Connect(chainOf(0), false)
	var all []weak.Pointer[chain.Chain]
	for i := range 2000 {
		c := chainOf(int64(1+i), of(&counter{}))
		all = append(all, weak.Make(c))
		l.Connect(c, false)
		if i%2 == 0 {
			l.PassBy([]*chain.Chain{c})
		}
		c.Close()
		l.Tidy(1, 0)
	}
	runtime.GC()
	kept := 0
	for _, p := range all {
		if p.Value() != nil {
			kept++
		}
	}
	if kept > maxClosed+2 {
		t.Errorf("%d chains are kept, want about that of the open flow", kept)
	}
	runtime.KeepAlive(l)
}

// A chain that goes in lockstep costs the loop little, however many do so already.
func TestManyInLockstep(t *testing.T) {
	var chains []*inStep
	for i := range int64(50000) {
		chains = append(chains, &inStep{Chain: chainOf(i, of(&counter{}))})
	}
	least := func(take func()) time.Duration {
		best := time.Hour
		for range 20 {
			start := time.Now()
			take()
			best = min(best, time.Since(start))
		}
		return best
	}
	var all, one lockstep
	whole := least(func() {
		all.take(nil, 0)
		all.take(chains, 0)
	})
	n := len(chains) - 20
	one.take(chains[:n], 0)
	if single := least(func() { n++; one.take(chains[:n], 0) }); single > whole/4 {
		t.Errorf("one more chain takes %v, all of them %v", single, whole)
	}
}
