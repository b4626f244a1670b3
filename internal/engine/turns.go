package engine

import (
	"time"

	"gomapi/internal/fair"
	"gomapi/internal/filter"
)

// Filters are compiled, and segments of capture files built, in the order of the time that their
// users have used for this lately, so that no user makes another one wait.
const (
	maxBuilders  = 4                // segments of capture files being built at a time
	usedHalfLife = 10 * time.Second // time used so long ago counts half
	littleUsed   = time.Second      // one place is kept for users who have used less
)

// turns are the queues for compiling and building.
type turns struct {
	spent     *fair.Ledger[string]
	compiling *fair.Queue[string] // filters
	building  *fair.Queue[string] // segments of capture files
}

func newTurns() turns {
	spent := fair.NewLedger[string](usedHalfLife, nil)
	return turns{
		spent:     spent,
		compiling: fair.NewQueue(fair.QueueOptions{Places: filter.MaxChildren, PerUser: maxCompiling, Little: littleUsed}, spent),
		building:  fair.NewQueue(fair.QueueOptions{Places: maxBuilders, PerUser: maxBuilding, Little: littleUsed}, spent),
	}
}
