package outfile

import (
	"sync/atomic"

	"gomapi/internal/mapierr"
)

// A Budget bounds the files that are open at a time. Each may take a thread,
// for as long as whoever is at its other end likes, and a process that runs out
// of threads is lost.
type Budget struct {
	max  int64
	open atomic.Int64
}

// NewBudget allows max files.
func NewBudget(max int) *Budget { return &Budget{max: int64(max)} }

func (b *Budget) take() error {
	if b.open.Add(1) > b.max {
		b.open.Add(-1)
		return mapierr.New(mapierr.CouldNotApplyFunction,
			"the daemon writes %d files, more are not allowed: close flows that write some", b.max)
	}
	return nil
}

func (b *Budget) give() { b.open.Add(-1) }
