package chain

import (
	"testing"
	"time"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// process is a function made of a Go func.
type process func(in []*pkt.Packet) []*pkt.Packet

func (p process) Process(in []*pkt.Packet) []*pkt.Packet { return p(in) }

func of(p process) *Instance { return &Instance{Def: &flib.Def{}, Fn: p} }

func newChain(functions ...*Instance) *Chain {
	return New(1, nil, functions, new(flib.FlowRef), new(flib.FlowRef))
}

// packets makes packets with these time stamps.
func packets(times ...uint64) (pkts []pkt.Packet) {
	for _, ts := range times {
		pkts = append(pkts, pkt.Packet{TS: ts, Link: []byte{1}, Wire: 1})
	}
	return pkts
}

// Each function gets the packets that the one before lets through, and all are counted.
func TestCounts(t *testing.T) {
	extra := packets(0)
	emits := of(func(in []*pkt.Packet) []*pkt.Packet {
		if len(in) == 0 {
			return nil
		}
		return append(in[:len(in):len(in)], &extra[0])
	})
	emits.Def = &flib.Def{Emits: true}
	c := newChain(
		of(func(in []*pkt.Packet) []*pkt.Packet { return in[1:] }),
		emits,
		of(func(in []*pkt.Packet) []*pkt.Packet { return nil }),
		of(func(in []*pkt.Packet) []*pkt.Packet { t.Error("nothing was let through"); return in }),
	)
	c.SetSince(time.Time{})
	c.Run(new(Host).Begin(packets(1, 2, 3)))
	var host Host
	for i, want := range []Tally{{Packets: 3, Refused: 1}, {Packets: 2, Taken: 2, Emitted: 3}, {Packets: 3, Refused: 3}, {}} {
		if got := c.Tally(&host, i); got != want {
			t.Errorf("function %d: %+v, want %+v", i, got, want)
		}
	}
	if c.Emitted() != 3 || c.InFlight() != 0 {
		t.Errorf("%d emitted, %d in flight, want 3 and none", c.Emitted(), c.InFlight())
	}
	if c.Close(); c.Tally(&host, 0).Packets != 3 {
		t.Error("closing changes counts")
	}
	c.Run(new(Host).Begin(packets(1)))
	if n := c.Tally(&host, 0).Packets; n != 3 {
		t.Errorf("a closed chain has taken %d packets, want 3", n)
	}
}

// A function that changes packets works on copies; the functions before it never see them.
func TestCopies(t *testing.T) {
	changes := of(func(in []*pkt.Packet) []*pkt.Packet { in[0].Link[0] = 9; return in })
	changes.Def = &flib.Def{Modifies: true}
	var behind byte
	c := newChain(changes, of(func(in []*pkt.Packet) []*pkt.Packet { behind = in[0].Link[0]; return in }))
	pkts := packets(1)
	if c.Run(new(Host).Begin(pkts)); pkts[0].Link[0] != 1 || behind != 9 {
		t.Errorf("the packet has %d, its copy %d, want 1 and 9", pkts[0].Link[0], behind)
	}
}

// A chain sees nothing from before its connect, until packet time has passed it.
func TestCatchUp(t *testing.T) {
	now := time.Now()
	since, seen := pkt.FromTime(now), 0
	c := newChain(of(func(in []*pkt.Packet) []*pkt.Packet { seen += len(in); return in }))
	c.SetSince(now)
	if !c.Start(10, new(Host)) || c.Start(10, new(Host)) {
		t.Error("a chain starts once, and has to catch up")
	}
	pkts := packets(since-1, since, since+1)
	c.CountOlder(pkts)
	c.Run(new(Host).Begin(pkts))
	if older, early := c.Older(); seen != 2 || older != 1 || early != 1 || c.Delivered(13) != 3 {
		t.Errorf("saw %d of %d, %d older, %d early", seen, c.Delivered(13), older, early)
	}
	if c.CatchUp(since-1, now) || c.CaughtUp(now) {
		t.Error("has caught up before its time")
	}
	if !c.CatchUp(since, now) || !c.CaughtUp(now) || c.Since() != 0 {
		t.Error("does not catch up")
	}
}

// A clock that was set back delays the packets of a chain only until the deadline.
func TestCatchUpInTheEnd(t *testing.T) {
	now := time.Now()
	c := newChain()
	c.SetSince(now)
	c.Start(0, new(Host))
	if c.CatchUp(1, now.Add(sinceLimit)) || !c.CatchUp(1, now.Add(sinceLimit+1)) {
		t.Errorf("waits other than %v", sinceLimit)
	}
}
