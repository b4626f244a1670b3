package main

import (
	"fmt"
	"slices"
)

// figures sum up the rounds of a measurement.
type figures struct{ median, least, most float64 }

// summarize needs one round at least.
func summarize(rounds []float64) figures {
	sorted := slices.Sorted(slices.Values(rounds))
	return figures{median: sorted[len(sorted)/2], least: sorted[0], most: sorted[len(sorted)-1]}
}

// String is the median and the minimum.
func (f figures) String() string { return fmt.Sprintf("%.1f (%.1f)", f.median, f.least) }
