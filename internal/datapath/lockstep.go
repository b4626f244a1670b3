package datapath

import (
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// inStep is a chain that goes packet by packet with others.
type inStep struct {
	*chain.Chain
	aside chain.Lockstep
}

// lockstep is the chains that go packet by packet, as the loop has taken them up.
type lockstep struct {
	chains  []*inStep
	changes uint64 // plan.steppings
}

// take has those chains go in lockstep that a plan has there, and no other.
func (l *lockstep) take(chains []*inStep, changes uint64) {
	for _, t := range l.chains {
		t.SetLockstep(nil)
	}
	for _, t := range chains {
		t.SetLockstep(&t.aside)
	}
	l.chains, l.changes = chains, changes
}

// run takes packets through the chains, for all of which it was set aside which are
// theirs. Each packet brings its time first.
func (l *lockstep) run(b *chain.Batch, ptrs []*pkt.Packet) {
	first := 0
	if len(ptrs) > 0 {
		first = b.Index(ptrs[0])
	}
	for i := range ptrs {
		for _, t := range l.chains {
			if t.Expires {
				t.Expire(ptrs[i].TS)
			}
		}
		for _, t := range l.chains {
			if t.aside.Has(first + i) {
				t.Run(ptrs[i : i+1])
			}
		}
	}
	for _, t := range l.chains {
		t.aside.Clear()
	}
}
