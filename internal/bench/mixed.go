package main

import (
	"context"
	"fmt"

	"gomapi/internal/tracegen"
)

// The mixed filters of mixed and changes.
const mixedSeed = 7

// mixed measures many filters of many kinds on the capture file.
func (b *bench) mixed(ctx context.Context) (string, error) {
	table := newTable(append([]string{"filters", "matches a packet"}, trialColumns[1:]...)...)
	for _, n := range []int{1, b.mixedFilters} {
		progress("%d mixed filters on the file", n)
		t, err := b.mixedTrial(ctx, tracegen.Filters(n, mixedSeed))
		if err != nil {
			return "", fmt.Errorf("%d mixed filters: %w", n, err)
		}
		table.row(append([]any{n, fmt.Sprintf("%.2f", float64(sumOf(t.counts))/float64(b.traceLen))}, t.cells()...)...)
	}
	return section("Mixed filters", table, trialText+
		"Hosts, networks of 8 to 32 bits, ports, port ranges, TCP flags, combinations and negations, drawn at random; "+
		"PKT_COUNTER, BYTE_COUNTER. libpcap counts for all filters on its sample, and for %d of them on the whole file, as mapid does.", witnesses), nil
}

// witnesses is how many filters libpcap is asked about on the whole file.
const witnesses = 100

func (b *bench) mixedTrial(ctx context.Context, filters []string) (*trial, error) {
	t := &trial{calls: filterCalls(filters), tasks: filterTasks(filters),
		sample: b.sampleOf(len(filters), 2*filterBudget), rounds: b.trialRounds(len(filters))}
	if err := b.try(ctx, t); err != nil || t.slow != "" {
		return t, err
	}
	if err := b.witness(ctx, t); err != nil {
		return t, err
	}
	return t, b.samplesAgree(ctx, t)
}

// witness compares what mapid has counted for some filters of the whole file.
func (b *bench) witness(ctx context.Context, t *trial) error {
	var tasks []string
	var counts []tracegen.Count
	step := max(1, len(t.tasks)/witnesses)
	for i := 0; i < len(t.tasks); i += step {
		tasks, counts = append(tasks, t.tasks[i]), append(counts, t.counts[i])
	}
	_, want, err := b.offline(ctx, 0, tasks)
	if err != nil {
		return err
	}
	return compareCounts("mapid", counts, want)
}

// samplesAgree has mapid read the sample too and compares all counts with libpcap's.
func (b *bench) samplesAgree(ctx context.Context, t *trial) error {
	path, err := sampleFile(b.dir, t.sample)
	if err != nil {
		return err
	}
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return err
	}
	defer d.stop()
	r, err := d.replay(ctx, path, t.calls, b.limit)
	if err != nil {
		return err
	}
	return compareCounts("mapid on the sample", r.counts, t.part)
}
