package chain

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// hosted makes a chain in a loop and notes the faults.
func hosted(functions ...*Instance) (*Chain, *Host, *[]*Fault) {
	var faults []*Fault
	h := &Host{Fault: func(f *Fault, users []*Chain) {
		faults = append(faults, f)
		for _, c := range users {
			c.Expel()
		}
	}}
	c := newChain(functions...)
	c.SetSince(time.Time{})
	c.Start(0, h)
	return c, h, &faults
}

// A function that fails ends its chain, and the books say how many packets it was given.
func TestFaults(t *testing.T) {
	foreign := packets(7)
	list := func(n int) (out []*pkt.Packet) {
		for range n {
			out = append(out, &foreign[0])
		}
		return out
	}
	for name, c := range map[string]struct {
		emits   bool
		process process
		text    string
	}{
		"panic":        {false, func(in []*pkt.Packet) []*pkt.Packet { return in[len(in)+5:] }, "slice bounds"},
		"foreign":      {false, func([]*pkt.Packet) []*pkt.Packet { return list(1) }, "not given"},
		"more":         {false, func(in []*pkt.Packet) []*pkt.Packet { return append(slices.Clone(in), in[0]) }, "not given"},
		"out of order": {false, func(in []*pkt.Packet) []*pkt.Packet { return []*pkt.Packet{in[1], in[0]} }, "not given"},
		"nothing":      {false, func([]*pkt.Packet) []*pkt.Packet { return []*pkt.Packet{nil} }, "not given"},
		"long list":    {true, func([]*pkt.Packet) []*pkt.Packet { return list(flib.MaxList + 1) }, "at a time"},
		"endless":      {true, func([]*pkt.Packet) []*pkt.Packet { return list(1) }, "come to an end"},
		"no packet":    {true, func([]*pkt.Packet) []*pkt.Packet { return []*pkt.Packet{nil} }, "missing"},
		"short":        {true, func([]*pkt.Packet) []*pkt.Packet { return []*pkt.Packet{{Link: make([]byte, 9), Wire: 8}} }, "shorter"},
		"large": {true, func([]*pkt.Packet) []*pkt.Packet {
			return []*pkt.Packet{{Link: make([]byte, flib.MaxEmitted+1), Wire: flib.MaxEmitted + 1}}
		}, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := 0
			bad := of(c.process)
			bad.Def = &flib.Def{Name: "BAD", Emits: c.emits}
			ch, h, faults := hosted(of(func(in []*pkt.Packet) []*pkt.Packet { seen += len(in); return in }), bad)
			for range 2 {
				ch.Run(h.Begin(packets(1, 2, 3)))
			}
			if len(*faults) != 1 || !ch.Failed() || seen != 3 {
				t.Fatalf("%d faults, %d packets seen, want 1 and 3", len(*faults), seen)
			}
			f := (*faults)[0]
			var text string
			switch v := f.Value.(type) {
			case error:
				text = v.Error()
			case string:
				text = v
			}
			if f.What != "function BAD" || !strings.Contains(text, c.text) || string(f.First) != "\x01" || len(f.Stack) == 0 {
				t.Errorf("fault %q of %s, first packet %x", text, f.What, f.First)
			}
			tally := ch.Tally(h, 1)
			if tally.Packets != 3 || tally.Taken+tally.Failed != 3 || ch.InFlight() != 0 {
				t.Errorf("books: %+v, %d in flight", tally, ch.InFlight())
			}
		})
	}
}

// A function with more to emit than fits into a list is called until it has nothing left.
func TestEmission(t *testing.T) {
	const n = 3*flib.MaxList + 7
	own := make([]pkt.Packet, n)
	left := 0
	emits := of(func(in []*pkt.Packet) (out []*pkt.Packet) {
		if len(in) > 0 {
			left = n
		}
		for left > 0 && len(out) < flib.MaxList {
			left--
			out = append(out, &own[left])
		}
		return out
	})
	emits.Def = &flib.Def{Emits: true}
	got := 0
	ch, h, _ := hosted(emits, of(func(in []*pkt.Packet) []*pkt.Packet { got += len(in); return in }))
	ch.Run(h.Begin(packets(1)))
	if got != n {
		t.Errorf("%d packets emitted, want %d", got, n)
	}
	if tally := ch.Tally(h, 0); tally != (Tally{Packets: 1, Taken: 1, Emitted: n}) {
		t.Errorf("books %+v", tally)
	}
}

// sleeper waits for moments.
type sleeper struct {
	at    uint64
	calls []uint64
}

func (s *sleeper) Process(in []*pkt.Packet) []*pkt.Packet { return in }
func (s *sleeper) Deadline() uint64                       { return s.at }
func (s *sleeper) Expire(now uint64) []*pkt.Packet {
	s.calls = append(s.calls, now)
	s.at = flib.NoDeadline
	return nil
}

// A function is called when its deadline has come, as it stands then.
func TestDeadlines(t *testing.T) {
	s := &sleeper{at: 100}
	ch, h, _ := hosted(&Instance{Def: &flib.Def{}, Fn: s})
	pass := func(ts uint64) {
		ch.Run(h.Begin(packets(ts)))
		h.Expire()
	}
	pass(10)
	moves := h.HeapMoves()
	for ts := range uint64(89) {
		s.at = 100 + ts // put off by each packet
		pass(11 + ts)
	}
	if n := h.HeapMoves(); n != moves || len(s.calls) > 0 {
		t.Errorf("%d moves of the heap before a deadline has come, calls %d", n-moves, s.calls)
	}
	pass(150)
	s.at = 160
	pass(151)
	s.at = 170 // put off without a packet
	h.Begin(packets(165))
	if h.Expire(); len(s.calls) > 0 {
		t.Errorf("called at %d", s.calls)
	}
	h.Begin(packets(200))
	if h.Expire(); !slices.Equal(s.calls, []uint64{200}) {
		t.Errorf("called at %d, want 200", s.calls)
	}
	if ch.Close(); h.Deadline() != flib.NoDeadline {
		t.Errorf("the next deadline is %d", h.Deadline())
	}
}

// A moment in the past calls the function once per batch, and not more often.
func TestPastDeadline(t *testing.T) {
	n := 0
	busy := &busy{n: &n}
	ch, h, _ := hosted(&Instance{Def: &flib.Def{}, Fn: busy})
	for range 5 {
		ch.Run(h.Begin(packets(10)))
		h.Expire()
	}
	if n != 5 {
		t.Errorf("called %d times in 5 batches", n)
	}
	ch.Close()
	h.Tidy()
	if h.Deadline() != flib.NoDeadline {
		t.Error("a closed chain waits")
	}
}

type busy struct{ n *int }

func (b *busy) Process(in []*pkt.Packet) []*pkt.Packet { return in }
func (b *busy) Deadline() uint64                       { return 0 }
func (b *busy) Expire(uint64) []*pkt.Packet            { *b.n++; return nil }

// A function that publishes on request is asked once after it has run.
func TestPublish(t *testing.T) {
	p := &publisher{}
	ch, h, _ := hosted(&Instance{Def: &flib.Def{}, Fn: p})
	h.Publish()
	for range 3 {
		ch.Run(h.Begin(packets(1)))
	}
	ch.PublishFor(ch.Steps[0].Instance)
	ch.PublishFor(ch.Steps[0].Instance)
	if h.Publish(); p.n != 1 {
		t.Errorf("published %d times, want 1", p.n)
	}
	ch.Run(h.Begin(packets(1)))
	h.Publish()
	if h.Publish(); p.n != 2 {
		t.Errorf("published %d times, want 2", p.n)
	}
}

type publisher struct{ n int }

func (p *publisher) Process(in []*pkt.Packet) []*pkt.Packet { return in }
func (p *publisher) Publish()                               { p.n++ }

// A function that changes packets gets copies of what another function emits, even if packets
// were copied before.
func TestCopiesBehindAnEmitter(t *testing.T) {
	changes := func() *Instance {
		a := of(func(in []*pkt.Packet) []*pkt.Packet {
			for _, p := range in {
				p.Link[0] *= 2
			}
			return in
		})
		a.Def = &flib.Def{Modifies: true}
		return a
	}
	own := packets(7)
	emits := of(func(in []*pkt.Packet) []*pkt.Packet {
		if len(in) == 0 {
			return nil
		}
		return []*pkt.Packet{&own[0], &own[0]}
	})
	emits.Def = &flib.Def{Emits: true}
	var got []byte
	ch, h, _ := hosted(changes(), emits, changes(), of(func(in []*pkt.Packet) []*pkt.Packet {
		for _, p := range in {
			got = append(got, p.Link[0])
		}
		return in
	}))
	ch.Run(h.Begin(packets(1)))
	if string(got) != "\x02\x02" || own[0].Link[0] != 1 {
		t.Errorf("the packets have %d, the emitter's %d", got, own[0].Link[0])
	}
}

// sharing is a segment that runs a chain's first function and was given three packets.
type sharing struct{ passed uint64 }

func (s *sharing) Functions() int { return 1 }
func (s *sharing) Behind(i int) uint64 {
	if i < 0 {
		return 3
	}
	return s.passed
}
func (s *sharing) Flush()   {}
func (s *sharing) Release() {}

// Who is told that a shared function has failed finds the packets in the books as lost.
func TestSharedFault(t *testing.T) {
	ch, h, _ := hosted(of(func(in []*pkt.Packet) []*pkt.Packet { return in }))
	NewAttachment(ch, &sharing{}, new(atomic.Bool)).Enter()
	var told Tally
	h.Fault = func(_ *Fault, users []*Chain) { told = users[0].Tally(h, 0) }
	h.FailShared([]*Chain{ch}, 0, h.Begin(packets(1, 2, 3)), 3, "failed")
	if want := (Tally{Packets: 3, Failed: 3}); told != want {
		t.Errorf("books %+v, want %+v", told, want)
	}
}
