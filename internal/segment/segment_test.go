package segment

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
	"unique"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/chain"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/pkt"
)

// port is a filter of UDP packets to a port.
type port struct{ program *bpf.Program }

func (p port) Program(uint16) *bpf.Program            { return p.program }
func (p port) Process(in []*pkt.Packet) []*pkt.Packet { return in }

func toPort(t testing.TB, n int) *chain.Instance {
	t.Helper()
	p, err := libpcap.InProcess{}.Compile(t.Context(), fmt.Sprintf("udp dst port %d", n), 1)
	if err != nil {
		t.Fatal(err)
	}
	return &chain.Instance{Def: &flib.Def{}, Fn: port{p}, Classifier: port{p}}
}

// counter adds up packets.
type counter struct{ total atomic.Uint64 }

func (c *counter) Process(in []*pkt.Packet) []*pkt.Packet {
	c.total.Add(uint64(len(in)))
	return in
}
func (c *counter) Sum(in []*pkt.Packet) uint64 { return uint64(len(in)) }
func (c *counter) Total() *atomic.Uint64       { return &c.total }

// counting makes n chains that count packets to a port: all to one port, or each to its own.
func counting(t testing.TB, n int, port func(i int) int) (chains []*chain.Chain, counters []*counter) {
	key := unique.Make("count")
	for i := range n {
		c := &counter{}
		ch := chain.New(int64(i), nil, []*chain.Instance{
			toPort(t, port(i)), {Def: &flib.Def{}, Fn: c, ShareKey: key},
		}, new(flib.FlowRef), new(flib.FlowRef))
		ch.SetSince(time.Time{})
		chains, counters = append(chains, ch), append(counters, c)
	}
	return chains, counters
}

func apart(i int) int { return 1 + i }
func equal(int) int   { return 1 }

// udp is a packet to each of n ports from 1 on.
func udp(n int) (pkts []pkt.Packet) {
	for i := range n {
		b := make([]byte, 60)
		b[12], b[14], b[23] = 0x08, 0x45, 17
		binary.BigEndian.PutUint16(b[36:], uint16(1+i))
		pkts = append(pkts, pkt.Packet{Link: b, Wire: 60, LinkType: 1})
	}
	return pkts
}

func candidates(chains []*chain.Chain) (list []Candidate) {
	for _, c := range chains {
		list = append(list, Candidate{Chain: c, Alone: c.Alone, CaughtUp: c.CaughtUp(time.Now())})
	}
	return list
}

// pass begins a segment and runs it with packets.
func pass(s *Segment, pkts []pkt.Packet) {
	b := new(chain.Host)
	s.Begin()
	s.Run(b, s.Fit(NewScratch()), pkts, b.Begin(pkts))
}

func sumOf(counters []*counter) (n uint64) {
	for _, c := range counters {
		n += c.total.Load()
	}
	return n
}

// Sums are pending until they are flushed. Flush flushes as many as it is asked to.
func TestFlush(t *testing.T) {
	const chains = 100
	for name, c := range map[string]struct {
		port func(int) int
		want Stats
		pkts int
	}{
		"accumulators": {apart, Stats{Members: chains, Accumulators: chains}, chains},
		"nodes":        {equal, Stats{Members: 1, Nodes: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			list, counters := counting(t, chains, c.port)
			s := Build(candidates(list), []uint16{1}, t.Logf)
			defer s.Close()
			if s.Enter(); s.Stats() != c.want {
				t.Errorf("%+v, want %+v", s.Stats(), c.want)
			}
			pass(s, udp(c.pkts))
			for _, step := range []struct{ flush, told, pending int }{{0, 0, 100}, {30, 30, 70}, {30, 60, 40}, {1000, 100, 0}} {
				s.Flush(step.flush)
				if n := int(sumOf(counters)); n != step.told || s.Pending() != step.pending {
					t.Errorf("flush %d: %d are told, %d are pending, want %d and %d", step.flush, n, s.Pending(), step.told, step.pending)
				}
			}
			pass(s, udp(c.pkts))
			s.Flush(10)
			pass(s, udp(c.pkts))
			s.FlushAll()
			for i, c := range counters {
				if n := c.total.Load(); n != 3 {
					t.Errorf("counter %d: %d, want 3", i, n)
				}
			}
		})
	}
}

// A closed chain gets no pending sums. A chain that detaches gets all of them.
func TestChainsGo(t *testing.T) {
	for name, port := range map[string]func(int) int{"accumulators": apart, "nodes": equal} {
		t.Run(name, func(t *testing.T) {
			list, counters := counting(t, 3, port)
			s := Build(candidates(list), []uint16{1}, t.Logf)
			s.Enter()
			pass(s, udp(3))
			list[0].Close()
			list[1].Watch()
			if !list[1].AskToDetach() || s.Has(list[1]) || s.Gone != 2 {
				t.Errorf("%d have gone, want 2", s.Gone)
			}
			list[1].Start(0, new(chain.Host))
			if n := counters[1].total.Load(); n != 1 {
				t.Errorf("the chain on its own has %d, want 1", n)
			}
			pass(s, udp(3))
			s.FlushAll()
			for i, want := range []uint64{0, 1, 2} {
				if n := counters[i].total.Load(); n != want {
					t.Errorf("counter %d: %d, want %d", i, n, want)
				}
			}
		})
	}
}

// A segment does not share a chain whose results others have begun to read while it was
// being built.
func TestAlone(t *testing.T) {
	list, counters := counting(t, 3, equal)
	s := Build(candidates(list), []uint16{1}, t.Logf)
	list[1].Watch()
	if alone := s.Enter(); len(alone) != 1 || alone[0] != list[1] {
		t.Fatalf("%d chains are alone", len(alone))
	}
	pass(s, udp(1))
	s.FlushAll()
	if n := counters[1].total.Load(); n != 0 || sumOf(counters) != 2 {
		t.Errorf("the chain alone has %d of %d, want 0 of 2", n, sumOf(counters))
	}
}

// The counts of a chain continue from segment to segment, both before and after the older
// one has drained.
func TestCountsGoOn(t *testing.T) {
	var moves chain.Host
	list, counters := counting(t, 3, equal)
	want := func(packets uint64) {
		t.Helper()
		for i, c := range list {
			if n := c.Tally(&moves, 0); n.Packets != packets || n.Refused != 0 || c.Arrived(&moves) != packets {
				t.Errorf("chain %d: %+v, %d arrived, want %d", i, n, c.Arrived(&moves), packets)
			}
		}
	}
	first := Build(candidates(list), []uint16{1}, t.Logf)
	first.Enter()
	pass(first, udp(1))
	want(1)
	second := Build(candidates(list), []uint16{1}, t.Logf)
	second.Enter()
	pass(second, udp(1))
	want(2)
	first.FlushAll()
	first.Drain()
	second.Fold()
	want(2)
	second.FlushAll()
	if n := sumOf(counters); n != 6 {
		t.Errorf("%d are told, want 6", n)
	}
}

// Chains that were not shared because packets from before their connect might come make
// the segment ripe when these have passed.
func TestRipe(t *testing.T) {
	list, _ := counting(t, 3, equal)
	now := time.Now()
	late := chain.New(9, nil, nil, new(flib.FlowRef), new(flib.FlowRef))
	late.SetSince(now)
	s := Build(candidates(append(list, late)), []uint16{1}, t.Logf)
	s.Enter()
	if s.LookForRipe(now); s.Early() != 1 || s.Ripe() {
		t.Errorf("%d are early, ripe: %v", s.Early(), s.Ripe())
	}
	late.CatchUp(late.Since(), now)
	if s.LookForRipe(now.Add(ripeEvery / 2)); s.Ripe() {
		t.Error("looked too early")
	}
	if s.LookForRipe(now.Add(ripeEvery)); !s.Ripe() {
		t.Error("not ripe though all have caught up")
	}
}
