package datapath

import (
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
)

// inStep is a chain in lockstep with the packets that are set aside for it.
type inStep struct {
	*chain.Chain
	aside chain.Lockstep
}

// lockstep is the chains in lockstep, as of the plan that the loop runs.
type lockstep struct {
	chains  []*inStep
	busy    []*inStep  // those with packets, while they run
	bill    share.Bill // of looking whose turn it is
	changes uint64     // plan.steppings
	now     uint64     // packet time, as of the last packet
}

// take puts the chains that a plan has in lockstep, and no others. Most often one has come, at the
// end: those before it, which may be very many, are not touched.
func (l *lockstep) take(chains []*inStep, changes uint64) {
	same := 0
	for same < len(chains) && same < len(l.chains) && chains[same] == l.chains[same] {
		same++
	}
	left, come := l.chains[same:], chains[same:]
	for _, t := range left {
		t.SetLockstep(nil)
	}
	if len(left) > 0 {
		l.bill.Reset()
		l.charge(chains[:same])
	}
	for _, t := range come {
		t.SetLockstep(&t.aside)
	}
	l.charge(come)
	l.chains, l.changes = chains, changes
}

// charge makes chains pay for looking whose turn it is.
func (l *lockstep) charge(chains []*inStep) {
	for _, t := range chains {
		l.bill.Add(t.Share, 1)
	}
}

// run runs the chains packet by packet, each chain with the packets set aside for it. before
// is packet time before the first of them. A function whose deadline a packet reaches is
// called before the packet runs through the chains.
func (l *lockstep) run(h *chain.Host, before uint64, ptrs []*pkt.Packet) {
	if h.Meter.On {
		h.Meter.ToAll(&l.bill)
	}
	l.gather()
	first := h.Index(ptrs[0])
	l.now = max(l.now, before)
	delivered := h.Delivered - uint64(len(ptrs))
	for i := range ptrs {
		l.now, h.Delivered = max(l.now, ptrs[i].TS), delivered+uint64(i)
		h.ExpireInStep(l.now)
		h.Delivered++
		for _, t := range l.busy {
			switch in := ptrs[i : i+1]; {
			case !t.aside.Has(first + i):
				if h.Meter.On {
					h.Meter.ToAll(&l.bill)
				}
			case h.Meter.On && !h.Meter.To(t.Share):
				t.Miss(in)
			default:
				t.Run(in)
			}
		}
	}
	for _, t := range l.busy {
		t.aside.Clear()
	}
	clear(l.busy) // closed chains keep their memory otherwise
}

// gather collects the chains with packets.
func (l *lockstep) gather() {
	l.busy = l.busy[:0]
	for _, t := range l.chains {
		if !t.aside.Empty() {
			l.busy = append(l.busy, t)
		}
	}
}
