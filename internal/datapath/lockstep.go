package datapath

import "gomapi/internal/pkt"

// step has those chains go in lockstep that the plan has there, and no other.
func (l *Loop) step(p *plan) {
	for _, t := range l.lockstep {
		t.SetLockstep(nil)
	}
	for _, t := range p.lockstep {
		t.SetLockstep(t)
	}
	l.lockstep, l.steppings = p.lockstep, p.steppings
}

// runLockstep takes packets through the chains that go in lockstep, for all of which it
// was set aside which are theirs. Each packet brings its time first.
func (l *Loop) runLockstep(p *plan, ptrs []*pkt.Packet) {
	first := 0
	if len(ptrs) > 0 {
		first = l.batch.Index(ptrs[0])
	}
	for i := range ptrs {
		for _, t := range p.lockstep {
			if t.Expires {
				t.Expire(ptrs[i].TS)
			}
		}
		for _, t := range p.lockstep {
			if t.Has(first + i) {
				t.Run(ptrs[i : i+1])
			}
		}
	}
	for _, t := range p.lockstep {
		t.Clear()
	}
}
