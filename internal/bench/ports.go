package main

import (
	"context"
	"fmt"

	"gomapi/internal/bench/plot"
	"gomapi/internal/tracegen"
)

// ports measures many flows on the capture file: flow i counts packets and bytes of
// "udp dst port i".
func (b *bench) ports(ctx context.Context) (string, error) {
	whole := tracegen.CountPorts(b.traceLen, 1)
	var trials []*trial
	for _, n := range b.flows {
		filters := portFilters(n)
		t := &trial{calls: filterCalls(filters), tasks: filterTasks(filters), sample: b.sampleOf(n, filterBudget), rounds: b.trialRounds(n), whole: whole[1 : n+1]}
		t.part = tracegen.CountPorts(t.sample, 1)[1 : n+1]
		progress("%d flows of the file, a port each", n)
		if err := b.try(ctx, t); err != nil {
			return "", fmt.Errorf("%d flows with a port each: %w", n, err)
		}
		trials = append(trials, t)
	}
	table := newTable(trialColumns...)
	for _, t := range trials {
		table.row(append([]any{len(t.calls)}, t.cells()...)...)
	}
	return section("Many flows of a file", table, trialText+
		"Flow i has BPF_FILTER \"udp dst port i\", PKT_COUNTER, BYTE_COUNTER; each packet of the file matches one flow at most. "+
		"All counters are as the generator of the file says.") +
		b.chart("flows-file", plot.Chart{Title: "udp dst port i: CPU time for each packet of a file", X: plot.Axis{Label: "flows", Log: true},
			Y: plot.Axis{Label: "ns a packet", Log: true}, Series: trialLines(trials)}), nil
}

// portFilters are those of the ports from 1 to n.
func portFilters(n int) (filters []string) {
	for port := 1; port <= n; port++ {
		filters = append(filters, fmt.Sprintf("udp dst port %d", port))
	}
	return filters
}

// trialText explains trialColumns.
const trialText = "CPU time in nanoseconds per packet of the file, median (minimum); of mapid with its children from start to end of the file, " +
	"and cycles at the clock rate that /proc/cpuinfo shows; of one libpcap program that does the same for each packet in turn, " +
	"on the first packets of the file when there are many flows. Matches: packets times flows. Set up: until all flows of a program are connected. "

// What libpcap programs may do in a round: packets times filters, bytes times strings.
const (
	filterBudget = 50e6
	stringBudget = 2.5e6
)

// sampleOf returns how many packets a libpcap program reads for n tasks.
func (b *bench) sampleOf(n int, budget float64) int {
	return min(b.traceLen, max(100, int(budget)/n))
}
