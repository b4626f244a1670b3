package chain

import (
	"fmt"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// Take runs the chain with packets that its prefilter let through. In lockstep it sets them
// aside instead.
func (c *Chain) Take(h *Host, in []*pkt.Packet) {
	switch {
	case c.lockstep != nil:
		c.lockstep.mark(&h.batch, in)
	case h.Meter.On && !h.Meter.To(c.Share):
		c.Miss(in)
	default:
		c.Run(in)
	}
}

// Run runs the chain with packets, unless it must be skipped. It does not change in.
func (c *Chain) Run(in []*pkt.Packet) {
	if c.off.Load() != 0 {
		return
	}
	if c.Prefilter != nil {
		c.passed.Add(uint64(len(in)))
	}
	if c.since != 0 {
		in = c.late(in)
	}
	c.RunFrom(0, in)
}

// Miss counts packets for which there was no time left in a batch, unless the chain must be skipped.
func (c *Chain) Miss(in []*pkt.Packet) {
	if c.off.Load() == 0 {
		c.passing.missed.Add(uint64(len(in)))
	}
}

// MissRest is Miss for packets that shared functions of the chain have processed.
func (c *Chain) MissRest(in []*pkt.Packet) { c.passing.unserved.Add(uint64(len(in))) }

// late drops and counts the packets from before the flow's connect. It allocates the list of
// the rest, which happens only in the first batches of a chain.
func (c *Chain) late(in []*pkt.Packet) []*pkt.Packet {
	var out []*pkt.Packet
	for _, p := range in {
		if p.TS >= c.since {
			out = append(out, p)
		} else {
			c.early.Add(1)
		}
	}
	return out
}

// RunUnmerged runs the prefilter on in and the chain with the packets that match. It
// collects them in the memory of list.
func (c *Chain) RunUnmerged(h *Host, list, in []*pkt.Packet) {
	if h.Meter.On && !h.Meter.To(c.Share) {
		c.Miss(in)
		return
	}
	if c.Prefilter != nil {
		program := c.Prefilter.Classifier.Program(in[0].LinkType)
		if program == nil || c.off.Load() != 0 {
			return
		}
		list = list[:0]
		for _, p := range in {
			if program.Match(p.Link, p.Wire) {
				list = append(list, p)
			}
		}
		in = list
	}
	if len(in) > 0 {
		c.Take(h, in)
	}
}

// RunFrom runs the steps from i on. A fault in one of them ends the chain.
func (c *Chain) RunFrom(i int, in []*pkt.Packet) {
	defer c.contain(&i, &in)
	for ; i < len(c.Steps) && len(in) > 0; i++ {
		s := &c.Steps[i]
		s.packets.Add(uint64(len(in)))
		if c.watched.Load() && s.ResetAsked.Load() {
			s.Reset()
			s.ResetAsked.Store(false) // until here the readers take the value as 0
		}
		if s.special != nil {
			if in = c.runSpecial(i, in); s.timer != nil && c.deadlines != nil {
				s.timer.want(c.deadlines)
			}
			continue
		}
		out := s.fn.Process(in)
		CheckPassed(in, out)
		s.refused.Add(uint64(len(in) - len(out)))
		in = out
	}
}

// runSpecial runs a step that needs something special and returns the packets for the next.
func (c *Chain) runSpecial(i int, in []*pkt.Packet) (out []*pkt.Packet) {
	s := &c.Steps[i]
	if s.private != nil {
		in = s.private.of(in)
	}
	if s.special.emits {
		c.take(i, in)
	} else {
		out = s.fn.Process(in)
		CheckPassed(in, out)
		s.refused.Add(uint64(len(in) - len(out)))
	}
	c.markPublished(i)
	return out
}

// Finish tells the functions, in order, that no more packets come, and passes on what they
// emit. It does so once. The capture goroutine calls it at the end of the device, or a
// control goroutine for a chain that is closed and that the loop has left.
func (c *Chain) Finish() {
	if !c.finishes || c.host == nil {
		return
	}
	c.finishes = false
	for i := 0; i < len(c.Steps) && !c.Failed(); i++ {
		if f, ok := c.Steps[i].fn.(flib.Finisher); ok {
			c.finish(i, f)
		}
	}
}

// finish tells step i that no more packets come.
func (c *Chain) finish(i int, f flib.Finisher) {
	in := []*pkt.Packet(nil)
	defer c.contain(&i, &in)
	n := 0
	for c.pass(i, &n, f.End()) {
	}
	c.markPublished(i)
}

// maxLists limits how many lists a function may emit before it returns an empty one.
const maxLists = 1 << 14

// take runs step i, which emits packets, with in. The steps behind it get what it emits, as
// often as it returns packets.
func (c *Chain) take(i int, in []*pkt.Packet) {
	s := &c.Steps[i]
	s.refused.Add(uint64(len(in))) // shown as taken
	n := 0
	for out := s.fn.Process(in); c.pass(i, &n, out); {
		out = s.fn.Process(nil)
	}
}

// expire tells step i that packet time has reached now, and passes on what it emits.
func (c *Chain) expire(i int, f flib.Expirer, now uint64) {
	n := 0
	for c.pass(i, &n, f.Expire(now)) {
	}
}

// pass runs the steps behind step i with packets that step i has emitted. n counts the lists.
// It returns false if there was no packet, or the chain has failed.
func (c *Chain) pass(i int, n *int, out []*pkt.Packet) (more bool) {
	if len(out) == 0 {
		return false
	}
	s := &c.Steps[i]
	if !s.emits() {
		panic("the function has emitted packets, but its definition does not say so")
	}
	if *n++; *n > maxLists {
		panic(fmt.Sprintf("the function has emitted %d lists of packets and does not come to an end", maxLists))
	}
	checkEmitted(out)
	c.inFlight.Add(uint64(len(out)))
	s.emitted.Add(uint64(len(out)))
	c.RunFrom(i+1, out)
	c.inFlight.Add(-uint64(len(out)))
	return !c.Failed()
}
