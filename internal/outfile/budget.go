package outfile

import (
	"sync/atomic"

	"gomapi/internal/mapierr"
)

// A Budget limits the number of open files. Each file may block a thread for as
// long as its other end chooses, and a process that runs out of threads
// crashes.
type Budget struct {
	max  int64
	open atomic.Int64
}

// NewBudget returns a budget of max files.
func NewBudget(max int) *Budget { return &Budget{max: int64(max)} }

func (b *Budget) take() error {
	if b.open.Add(1) > b.max {
		b.open.Add(-1)
		return mapierr.New(mapierr.CouldNotApplyFunction,
			"the daemon writes the maximum of %d files: close flows that write files", b.max)
	}
	return nil
}

func (b *Budget) give() { b.open.Add(-1) }
