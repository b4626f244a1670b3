package datapath

import (
	"gomapi/internal/books"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
)

// Any goroutine may call the functions of this file.

// Total returns how many packets were handed to flows, and how many came while there was
// no flow.
func (l *Loop) Total() (delivered, noFlow uint64) { return l.total.Load(), l.noFlow.Load() }

// Spared returns packets times functions that need not see them because an equal function
// has seen them for all.
func (l *Loop) Spared() uint64 { return l.host.Spared.Load() }

// Parked reports whether the loop waits for a client in the middle of a batch.
func (l *Loop) Parked() bool { return l.epoch.waits() }

// Tally reads the counts of step i of a chain. The caller holds the lock of the plans.
func (l *Loop) Tally(c *chain.Chain, i int) chain.Tally { return c.Tally(&l.host, i) }

// Arrived reads how many packets came to a chain: from its prefilter or, without one, from
// the device. The caller holds the lock of the plans.
func (l *Loop) Arrived(c *chain.Chain) uint64 {
	if c.Prefilter != nil {
		return c.Arrived(&l.host)
	}
	return l.Delivered(c)
}

// Delivered returns how many packets the device has delivered since the loop began the
// chain.
func (l *Loop) Delivered(c *chain.Chain) uint64 { return c.Delivered(l.total.Load()) }

// Missed returns how many packets a chain did not get because it was passed by, and to how many
// packets only its first functions, which it shares, have been applied. The caller holds the
// lock of the plans.
func (l *Loop) Missed(c *chain.Chain) (missed, unserved uint64) {
	return c.Missed(&l.host, l.total.Load)
}

// Cost returns what the batches of a live device have taken so far.
func (l *Loop) Cost() share.Total { return l.host.Meter.Total() }

// Fullness returns how much of the device's room for waiting packets was taken after the last
// batch, in percent.
func (l *Loop) Fullness() int { return int(l.metering.full.Load()) }

// Moment begins a reading of books and returns its moment for Since.
func (l *Loop) Moment() uint64 { return l.epoch.number.Load() }

// Since returns how many packets may have been half-way through the chains since a moment:
// at most one batch.
func (l *Loop) Since(moment uint64) uint64 {
	if moment&1 == 0 && l.epoch.number.Load() == moment {
		return 0
	}
	return pkt.MaxBatch
}

// Notes returns the notes in the books on how the chains are decided.
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
		{Name: books.OfWhichUnfiltered, Value: l.unfiltered.Load()},
		{Name: books.Unmerged, Value: uint64(len(p.unmerged) + merged - largest)},
		{Name: books.SingleFilters, Value: uint64(filters)},
		{Name: books.SingleSearches, Value: uint64(searches)},
	}
}
