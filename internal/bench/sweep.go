package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gomapi/internal/tracegen"
)

// A sweep is file workloads that differ in the number of their flows. The competitor is one
// libpcap program that does the task of each flow.
type sweep struct {
	name   string
	sizes  []int
	tasks  []string // of the flows, the first in each workload
	budget int      // packets times flows that libpcap may do in a round
	// want returns what flows count in the first packets of the file; of all flows, or of one
	// in so many.
	want      func(flows, packets int) []tracegen.Count
	perPacket bool // the table has the matches of a packet too
}

// measureSweep measures each size.
func (b *bench) measureSweep(ctx context.Context, s sweep) (t rows) {
	for _, n := range s.sizes {
		w := b.sweepWorkload(ctx, s, n)
		d := b.measureFile(ctx, s.name, w)
		matches := []string{fmt.Sprint(d[0][0].matches)}
		if s.perPacket {
			each := float64(d[0][0].matches) / float64(b.packets)
			matches = []string{fixed(each, 2), matches[0]}
		}
		ns := d.boths(1, sample.ns)
		t.add(n, matches, ns[0], d.cycles(sample.ns)[0], ns[1], w.sample, d.ratio(4, sample.ns),
			d.of(0, sample.setupTime).both(2), d.of(0, sample.memoryMiB).middle(1))
	}
	return t
}

func (b *bench) sweepWorkload(ctx context.Context, s sweep, n int) fileWorkload {
	packets := min(b.packets, max(100, s.budget/n))
	return fileWorkload{
		tasks: s.tasks[:n], functions: counters, sample: packets,
		competitor: func() (time.Duration, []tracegen.Count) {
			return b.readLibpcap(ctx, packets, s.tasks[:n])
		},
		want: s.want(n, b.packets), part: s.want(n, packets),
	}
}

// upTo returns those of the numbers that are not too large.
func (b *bench) upTo(numbers ...int) []int {
	return slices.DeleteFunc(numbers, func(n int) bool { return n > b.largest })
}

// tasks are those of a kind.
func tasks(kind string, texts []string) (all []string) {
	for _, t := range texts {
		all = append(all, kind+" "+t)
	}
	return all
}

func filterTasks(filters []string) []string { return tasks("f", filters) }
func stringTasks(strings []string) []string { return tasks("s", strings) }

// portTasks are tasks of which number i, from 1, is to take "udp dst port i".
func portTasks(n int) (tasks []string) {
	for i := range n {
		tasks = append(tasks, fmt.Sprintf("f udp dst port %d", i+1))
	}
	return tasks
}

// What the libpcap program may do in a round: packets times filters, packets times strings.
const (
	filterBudget = 50e6
	stringBudget = 2.5e6
)

// portSizes are numbers of flows with ports.
func (b *bench) portSizes() []int { return b.upTo(1, 10, 100, 600, 1000, 10_000, 60_000) }

// ports has flow i count packets to port i.
func (b *bench) ports(ctx context.Context) rows {
	return b.measureSweep(ctx, sweep{
		name: "flows of a file", sizes: b.portSizes(), tasks: portTasks(60_000), budget: filterBudget,
		want: func(flows, packets int) []tracegen.Count {
			return tracegen.CountPorts(packets, 1)[1 : flows+1]
		},
	})
}

// equal has flows that are all the same.
func (b *bench) equal(ctx context.Context) rows {
	tasks := slices.Repeat([]string{"f udp"}, 10_000)
	return b.measureSweep(ctx, sweep{
		name: "equal flows", sizes: b.upTo(1, 10, 100, 1000, 10_000), tasks: tasks, budget: filterBudget,
		want: func(flows, packets int) []tracegen.Count {
			_, one := b.readLibpcap(ctx, packets, tasks[:1])
			return slices.Repeat(one, flows)
		},
	})
}

const (
	mixedSeed  = 7   // of the filters of mixed, churn and changes
	spotChecks = 100 // filters that libpcap is asked about on the whole file
)

// mixed has filters of many kinds.
func (b *bench) mixed(ctx context.Context) rows {
	tasks := filterTasks(tracegen.Filters(10_000, mixedSeed))
	s := sweep{
		name: "mixed filters", sizes: b.upTo(1, 10_000), tasks: tasks, budget: 2 * filterBudget,
		perPacket: true,
		want: func(flows, packets int) []tracegen.Count {
			var some []string
			for i := 0; i < flows; i += max(1, flows/spotChecks) {
				some = append(some, tasks[i])
			}
			_, counts := b.readLibpcap(ctx, packets, some)
			return counts
		},
	}
	w := b.sweepWorkload(ctx, s, slices.Max(s.sizes))
	_, counts := b.readFile(ctx, w, w.sample)
	_, want := w.competitor()
	compareCounts("mapid on the sample", counts, want)
	return b.measureSweep(ctx, s)
}

// strings has flow i search for a string of its own.
func (b *bench) strings(ctx context.Context) rows {
	all := tracegen.Strings(10_000, 1)
	return b.measureSweep(ctx, sweep{
		name: "strings in a file", sizes: b.upTo(1, 50, 1000, 10_000), tasks: stringTasks(all),
		budget: stringBudget,
		want: func(flows, packets int) []tracegen.Count {
			return tracegen.CountStrings(all[:flows], packets, 1)
		},
	})
}
