package datapath

import (
	"gomapi/internal/books"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// Any goroutine may call what is in this file.

// Total is how many packets were handed to flows, and how many came while there was none.
func (l *Loop) Total() (delivered, noFlow uint64) { return l.total.Load(), l.noFlow.Load() }

// Spared is how often a packet did not go through a function because an equal one had seen
// it for all.
func (l *Loop) Spared() uint64 { return l.batch.Spared.Load() }

// Parked reports whether the loop waits for a client in the middle of a batch.
func (l *Loop) Parked() bool {
	l.epoch.mu.Lock()
	defer l.epoch.mu.Unlock()
	return l.epoch.parked != nil
}

// Tally reads the counts of step i of a chain. The control side waits meanwhile.
func (l *Loop) Tally(c *chain.Chain, i int) chain.Tally { return c.Tally(&l.moves, i) }

// Arrived reads how many packets were given to a chain: by its prefilter, else by the
// device. The control side waits meanwhile.
func (l *Loop) Arrived(c *chain.Chain) uint64 {
	if c.Prefilter != nil {
		return c.Arrived(&l.moves)
	}
	return l.Delivered(c)
}

// Delivered returns how many packets the device has delivered since the loop has taken up
// the chain.
func (l *Loop) Delivered(c *chain.Chain) uint64 { return c.Delivered(l.total.Load()) }

// Moment begins a reading of books.
func (l *Loop) Moment() uint64 { return l.epoch.number.Load() }

// Since returns how many packets may have been half-way since a moment: those
// of the batch that was under way, at most.
func (l *Loop) Since(moment uint64) uint64 {
	if moment&1 == 0 && l.epoch.number.Load() == moment {
		return 0
	}
	return pkt.MaxBatch
}

// Notes tell how the chains are decided.
func (l *Loop) Notes() []books.Line {
	p := l.plan.Load()
	merged, largest, filters, searches := 0, 0, 0, 0
	for _, s := range p.segments {
		merged += len(s.Chains())
		largest = max(largest, len(s.Chains())-s.Early())
		st := s.Stats()
		filters, searches = filters+st.SingleFilters, searches+st.SingleSearches
	}
	return []books.Line{
		{Name: books.Unmerged, Value: uint64(len(p.unmerged) + merged - largest)},
		{Name: books.SingleFilters, Value: uint64(filters)},
		{Name: books.SingleSearches, Value: uint64(searches)},
	}
}
