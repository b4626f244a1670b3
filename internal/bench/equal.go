package main

import (
	"context"
	"fmt"
	"slices"
)

// equalFlows are the numbers of flows that equal measures.
var equalFlows = []int{1, 10, 100, 1000, 10000}

// equal measures many flows on the capture file that are all the same.
func (b *bench) equal(ctx context.Context) (string, error) {
	const filter = "udp"
	table := newTable(append([]string{"flows"}, trialColumns[1:]...)...)
	for _, n := range equalFlows {
		filters := slices.Repeat([]string{filter}, n)
		t := &trial{calls: filterCalls(filters), tasks: filterTasks(filters), sample: b.sampleOf(n, filterBudget), rounds: b.trialRounds(n)}
		progress("%d equal flows of the file", n)
		if err := b.try(ctx, t); err != nil {
			return "", fmt.Errorf("%d equal flows: %w", n, err)
		}
		for _, c := range t.counts {
			if c != t.counts[0] {
				return "", fmt.Errorf("%d equal flows count differently: %v and %v", n, c, t.counts[0])
			}
		}
		table.row(append([]any{n}, t.cells()...)...)
	}
	return section("Equal flows of a file", table, trialText+
		"Each flow has BPF_FILTER \""+filter+"\", PKT_COUNTER, BYTE_COUNTER. All count the same."), nil
}
