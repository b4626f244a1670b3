package engine

import (
	"fmt"
	"slices"
	"testing"
)

// shape is what a plan says, in memory of its own.
type shape struct {
	chains, open []*chain
	members      [][]*chain
	decided      int
}

func shapeOf(p *plan) shape {
	s := shape{chains: slices.Clone(p.chains), open: slices.Clone(p.open), decided: p.types[0].Len()}
	for _, m := range p.members {
		chains := slices.Clone(m.free)
		for _, t := range m.tied {
			chains = append(chains, t.chain)
		}
		s.members = append(s.members, chains)
	}
	return s
}

func (s shape) equal(o shape) bool {
	return slices.Equal(s.chains, o.chains) && slices.Equal(s.open, o.open) && s.decided == o.decided &&
		slices.EqualFunc(s.members, o.members, slices.Equal)
}

// Each plan that grew from the one before is what is made from nothing, and
// leaves those before as they were: the loop may be running on one of them.
func TestPlansGrow(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	var plans []*plan
	var shapes []shape
	var fds []int32
	for i := range 60 {
		functions := [][]any{fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i*i%23)), fn("PKT_COUNTER")}
		if i%7 == 0 {
			functions = functions[1:]
		}
		fd, _ := c.connected(functions...)
		fds = append(fds, fd)
		if i%11 == 10 {
			if err := c.CloseFlow(fds[i/2]); err != nil {
				t.Fatal(err)
			}
		}
		capture := b.engine.devices[0].cur
		p := capture.loop.plan.Load()
		if fresh := shapeOf(newPlan(p, capture.flows, capture.linkTypes, nil)); !shapeOf(p).equal(fresh) {
			t.Fatalf("plan after %d flows: %+v\nfrom nothing: %+v", i+1, shapeOf(p), fresh)
		}
		plans, shapes = append(plans, p), append(shapes, shapeOf(p))
	}
	for i, p := range plans {
		if !shapeOf(p).equal(shapes[i]) {
			t.Errorf("plan %d has changed: %+v, was %+v", i, shapeOf(p), shapes[i])
		}
	}
}
