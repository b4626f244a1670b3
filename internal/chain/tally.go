package chain

// A Tally is a reading of the counts of a function. Packets is the sum of those that were
// refused, taken by a function that emits others, lost because it failed, and passed on.
type Tally struct{ Packets, Refused, Taken, Failed, Emitted uint64 }

// Passed is how many of Packets went on.
func (t Tally) Passed() uint64 { return t.Packets - t.Refused - t.Taken - t.Failed }

// Behind is how many packets left the function, including those that it emitted.
func (t Tally) Behind() uint64 { return t.Passed() + t.Emitted }

// Tally reads the counts of step i. The loop counts packets first and the others last; Tally
// reads them in the opposite order. The caller holds the lock of the plans, so that the
// control side cannot attach the chain meanwhile.
func (c *Chain) Tally(h *Host, i int) (t Tally) {
	s := &c.Steps[i]
	h.moves.read(func() {
		a := c.attached.Load()
		t.Failed = c.lostIn(i)
		t.Emitted, t.Refused = s.emitted.Load(), s.refused.Load()
		t.Packets = s.packets.Load()
		for ; a != nil; a = a.older.Load() {
			if i < a.shared.Functions() {
				in, out := a.counts(i)
				t.Packets, t.Refused = t.Packets+in, t.Refused+in-out
			}
		}
	})
	if s.emits() {
		t.Refused, t.Taken = 0, t.Refused
	}
	return t
}

// lostIn returns how many packets step i was given when it failed.
func (c *Chain) lostIn(i int) uint64 {
	if f := c.fault.Load(); f != nil && f.Step == i {
		return uint64(f.Lost)
	}
	return 0
}

// Arrived reads how many packets the prefilter let through, under the same lock as Tally.
func (c *Chain) Arrived(h *Host) (n uint64) {
	h.moves.read(func() {
		a := c.attached.Load()
		n = c.passed.Load()
		for ; a != nil; a = a.older.Load() {
			n += a.shared.Behind(-1)
		}
	})
	return n
}

// Delivered returns how many packets the device has delivered since the loop began the chain.
// total is the device's count.
func (c *Chain) Delivered(total uint64) uint64 {
	if !c.started.Load() {
		return 0
	}
	if c.Failed() {
		total = c.stop
	}
	base := c.base.Load()
	return max(total, base) - base
}

// Missed returns how many packets the chain did not get because it was passed by, and to how
// many packets only its first functions, which it shares, have been applied for this reason.
// total reads the device's count.
func (c *Chain) Missed(h *Host, total func() uint64) (missed, unserved uint64) {
	p := &c.passing
	h.moves.read(func() {
		missed = p.missed.Load()
		if c.off.Load()&isPassedBy != 0 {
			end, from := total(), p.from.Load()
			if c.Failed() {
				end = c.stop
			}
			missed += max(end, from) - from
		}
	})
	unserved = p.unserved.Load()
	return missed, unserved
}

// Older returns how many delivered packets were from before the connect, and how many of
// these the prefilter let through.
func (c *Chain) Older() (older, early uint64) { return c.older.Load(), c.early.Load() }

// Emitted returns how many packets the functions have emitted.
func (c *Chain) Emitted() (n uint64) {
	for i := range c.Steps {
		n += c.Steps[i].emitted.Load()
	}
	return n
}

// InFlight returns how many emitted packets are under way.
func (c *Chain) InFlight() uint64 { return c.inFlight.Load() }
