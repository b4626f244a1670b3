package datapath

import (
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// inStep is a chain in lockstep with the packets that are set aside for it.
type inStep struct {
	*chain.Chain
	aside chain.Lockstep
}

// lockstep is the chains in lockstep, as of the plan that the loop runs.
type lockstep struct {
	chains  []*inStep
	changes uint64 // plan.steppings
	now     uint64 // packet time, as of the last packet
}

// take puts the chains that a plan has in lockstep, and no others.
func (l *lockstep) take(chains []*inStep, changes uint64) {
	for _, t := range l.chains {
		t.SetLockstep(nil)
	}
	for _, t := range chains {
		t.SetLockstep(&t.aside)
	}
	l.chains, l.changes = chains, changes
}

// run runs the chains packet by packet, each chain with the packets set aside for it. before
// is packet time before the first of them. A function whose deadline a packet reaches is
// called before the packet runs through the chains.
func (l *lockstep) run(h *chain.Host, before uint64, ptrs []*pkt.Packet) {
	first := h.Index(ptrs[0])
	l.now = max(l.now, before)
	delivered := h.Delivered - uint64(len(ptrs))
	for i := range ptrs {
		l.now, h.Delivered = max(l.now, ptrs[i].TS), delivered+uint64(i)
		h.ExpireInStep(l.now)
		h.Delivered++
		for _, t := range l.chains {
			switch in := ptrs[i : i+1]; {
			case !t.aside.Has(first + i):
			case h.Meter.On && !h.Meter.To(t.Share):
				t.Miss(in)
			default:
				t.Run(in)
			}
		}
	}
	for _, t := range l.chains {
		t.aside.Clear()
	}
}
