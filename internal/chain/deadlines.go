package chain

import (
	"gomapi/internal/pkt"
)

// expire calls the functions whose deadline is not after now.
func (d *deadlines) expire(now uint64) {
	for d.heap.Len() > 0 && d.heap.First() <= now {
		t := d.heap.Pop().Value
		if t.chain.off.Load() == 0 && t.call(d, now) {
			d.again = append(d.again, t)
		}
	}
	for i, t := range d.again {
		t.ask(d)
		d.again[i] = nil
	}
	d.again = d.again[:0]
}

// call calls the function, unless it has put off its deadline; then it returns false.
func (t *timer) call(d *deadlines, now uint64) bool {
	i, in := t.step, []*pkt.Packet(nil)
	defer t.chain.contain(&i, &in)
	if h := t.chain.host; h.Meter.On {
		h.Meter.To(t.chain.Share)
	}
	if at := t.fn.Deadline(); at > now {
		d.heap.Want(&t.Entry, at)
		return false
	}
	t.chain.expire(t.step, t.fn, now)
	t.chain.markPublished(t.step)
	return true
}

// ask asks the function for its next deadline.
func (t *timer) ask(d *deadlines) {
	i, in := t.step, []*pkt.Packet(nil)
	defer t.chain.contain(&i, &in)
	t.want(d)
}

// want is ask for a caller that contains faults.
func (t *timer) want(d *deadlines) {
	if !t.chain.Closed() {
		d.heap.Want(&t.Entry, t.fn.Deadline())
	}
}

// tidy drops the closed chains.
func (d *deadlines) tidy() {
	d.heap.Drop(func(t *timer) bool { return t.chain.Closed() })
}

// enlist moves the functions of a chain to d. They are asked for their deadlines with the next
// packets.
func (c *Chain) enlist(d *deadlines) {
	old := c.deadlines
	if old == d || !c.timed {
		return
	}
	c.deadlines = d
	for i := range c.Steps {
		if s := c.Steps[i].special; s != nil && s.timer != nil {
			if old != nil {
				old.heap.Remove(&s.timer.Entry)
			}
			d.heap.Want(&s.timer.Entry, 0)
		}
	}
}

// delist removes the functions of a chain, until enlist.
func (c *Chain) delist() {
	for i := range c.Steps {
		if s := c.Steps[i].special; s != nil && s.timer != nil && c.deadlines != nil {
			c.deadlines.heap.Remove(&s.timer.Entry)
		}
	}
	c.deadlines = nil
}

// Deadline returns the earliest moment, in packet time, for which a function waits, and
// deadline.None without one. The function may have put it off since.
func (h *Host) Deadline() uint64 { return min(h.deadlines.heap.First(), h.inStep.heap.First()) }

// Expire calls the functions whose deadline has been reached, of the chains that are not in
// lockstep.
func (h *Host) Expire() { h.deadlines.expire(h.Newest) }

// ExpireInStep calls those of the chains in lockstep.
func (h *Host) ExpireInStep(now uint64) { h.inStep.expire(now) }

// Tidy drops the functions of closed chains.
func (h *Host) Tidy() {
	h.deadlines.tidy()
	h.inStep.tidy()
}

// HeapMoves returns how often an entry of the heaps of deadlines has moved, for tests.
func (h *Host) HeapMoves() uint64 { return h.deadlines.heap.Moves + h.inStep.heap.Moves }

// SetLockstep puts the chain, which was started, in lockstep: its packets are set aside in l.
// nil ends that.
func (c *Chain) SetLockstep(l *Lockstep) {
	c.lockstep = l
	if l != nil && c.host != nil { // else closed before it began
		c.enlist(&c.host.inStep)
	}
}
