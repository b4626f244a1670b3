package chain

import "gomapi/internal/pkt"

// contain is deferred by the methods that call functions: a panic ends the chain, not the
// loop. Step i was given *in.
func (c *Chain) contain(i *int, in *[]*pkt.Packet) {
	if value := recover(); value != nil {
		s := &c.Steps[*i]
		f := newFault(s.what(), *i, *in, value)
		if s.emits() {
			f.Lost = 0 // it had taken them
		}
		c.blame(f)
		c.end(f, []*Chain{c})
	}
}

// blame notes why the chain ends, and with which packet.
func (c *Chain) blame(f *Fault) {
	if c.host != nil {
		c.stop = c.host.Delivered
	}
	c.fault.Store(f)
}

// end closes chains for the loop, because a function that runs for them all has failed.
func (c *Chain) end(f *Fault, users []*Chain) {
	if c.host == nil {
		panic(f.Value) // in no loop
	}
	for _, u := range users {
		u.off.Or(isClosed)
	}
	c.host.Fault(f, users)
}

// FailShared ends the chains for which a segment runs step i, which has failed with in. refused
// is how many of these packets the counts of the segment show as refused. Only the capture
// goroutine may call it.
func (h *Host) FailShared(users []*Chain, i int, in []*pkt.Packet, refused int, value any) {
	if len(users) == 0 {
		return
	}
	f := newFault(users[0].Steps[i].what(), i, in, value)
	f.Lost = refused
	h.moves.begin() // the books are right before anybody is told
	for _, c := range users {
		c.Steps[i].refused.Add(-uint64(refused))
		c.blame(f)
	}
	h.moves.end()
	users[0].end(f, users)
}

// FailAnalyser ends the chains that ask for an analyser, which has failed with in. Only the
// capture goroutine may call it.
func (h *Host) FailAnalyser(users []*Chain, key string, in []*pkt.Packet, value any) {
	f := newFault("analyser "+key, -1, in, value)
	f.Lost = 0 // no flow was given them
	for _, c := range users {
		c.blame(f)
		c.off.Or(isClosed)
	}
	h.Fault(f, users)
}

// Revoke ends the chain: it gets no packet any more, and its functions pass nothing on. The loop
// rests meanwhile, and the caller holds the lock of the plans.
func (c *Chain) Revoke(reason error) {
	c.blame(&Fault{What: "the right to have packets", Value: reason, Step: -1})
	c.off.Or(isClosed)
	c.Expel()
}

// Expel takes a chain that has failed out of its segment for good. The caller is the capture
// goroutine, or the loop rests, and holds the lock of the plans.
func (c *Chain) Expel() {
	c.Alone = true
	if c.AskToDetach() && c.host != nil {
		c.detach(&c.host.moves)
	}
}
