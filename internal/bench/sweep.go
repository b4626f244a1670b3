package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	"gomapi/internal/tracegen"
)

// A sweep is file workloads that differ in the number of their flows.
type sweep struct {
	title, text string
	unit        string // what there are many of
	sizes       []int
	perPacket   bool // the table has the matches of a packet too
	chart       string
	chartTitle  string // "" for no chart
	workload    func(n int) fileWorkload
}

const sweepText = "CPU time in nanoseconds per packet of the file, median (minimum); of mapid with its children from start to end of the file, " +
	"and cycles at the clock rate that /proc/cpuinfo shows; of one libpcap program that does the same for each packet in turn, " +
	"on the first packets of the file when there are many flows. Matches: packets times flows. Set up: until all flows of a program are connected. "

// measureSweep measures each size, in fewer rounds when it takes long to set up, and
// returns the section.
func (b *bench) measureSweep(ctx context.Context, f sweep) string {
	columns := []string{f.unit, "matches", "mapid", "cycles", "libpcap", "of packets", "mapid / libpcap", "set up, s", "mapid's memory, MiB"}
	if f.perPacket {
		columns = slices.Insert(columns, 1, "matches a packet")
	}
	t := newTable(columns...)
	mapid, libpcap := series{name: "mapid"}, series{name: "libpcap", dashed: true}
	for _, n := range f.sizes {
		log.Printf("%s: %d", f.title, n)
		rounds := 5
		if n > 10_000 {
			rounds = 2
		} else if n > 1000 {
			rounds = 3
		}
		w := f.workload(n)
		r := b.measureFile(ctx, w, min(rounds, b.rounds))
		var matches uint64
		for _, c := range r.counts {
			matches += c.Packets
		}
		m, c := r.mapid.median(), r.competitor.median()
		cells := []any{n, matches, r.mapid.both(1), cycles(m), r.competitor.both(1), w.sample, fixed(m/c, 4), r.setup.both(2), mib(r.memory)}
		if f.perPacket {
			cells = slices.Insert(cells, 1, any(fixed(float64(matches)/float64(b.packets), 2)))
		}
		t.row(cells...)
		mapid.add(float64(n), m)
		libpcap.add(float64(n), c)
	}
	text := section(f.title, t, "%s", sweepText+f.text)
	if f.chartTitle != "" {
		text += b.addChart(f.chart, chart{title: f.chartTitle, x: axis{label: f.unit, log: true}, y: axis{label: "ns a packet", log: true},
			series: []series{mapid, libpcap}})
	}
	return text
}

// flowWorkload has n flows, each with a first function of its own, PKT_COUNTER and
// BYTE_COUNTER. The competitor is one libpcap program that does the task of each flow
// (libpcap/programs.c), as many for all packets as the budget allows.
func (b *bench) flowWorkload(n, budget int, first func(i int) call, task func(i int) string) fileWorkload {
	tasks, sample := list(n, task), min(b.packets, max(100, budget/n))
	return fileWorkload{
		flows: n, calls: func(i int) []call { return counters(first(i)) }, step: 1, sample: sample,
		competitor: func(ctx context.Context) (time.Duration, []tracegen.Count) { return b.readLibpcap(ctx, sample, tasks) },
	}
}

func (b *bench) filterWorkload(n int, budget int, expression func(i int) string) fileWorkload {
	return b.flowWorkload(n, budget, func(i int) call { return filter(expression(i)) }, filterTask(expression))
}

// filterTask is what libpcap/programs.c is told to count what a filter lets pass.
func filterTask(expression func(i int) string) func(i int) string {
	return func(i int) string { return "f " + expression(i) }
}

// list is the first n of something.
func list(n int, of func(i int) string) (all []string) {
	for i := range n {
		all = append(all, of(i))
	}
	return all
}

// What the libpcap program may do in a round: packets times filters, packets times strings.
const (
	filterBudget = 50e6
	stringBudget = 2.5e6
)

// udpPort is the filter of flow i.
func udpPort(i int) string { return fmt.Sprintf("udp dst port %d", i+1) }

// ports has flow i count packets to port i.
func (b *bench) ports(ctx context.Context) string {
	whole := tracegen.CountPorts(b.packets, 1)
	return b.measureSweep(ctx, sweep{
		title: "Many flows of a file", unit: "flows", sizes: b.flows,
		text: "Flow i has BPF_FILTER \"udp dst port i\", PKT_COUNTER, BYTE_COUNTER; each packet of the file matches one flow at most. " +
			"All counters are as the generator of the file says.",
		chart: "flows-file", chartTitle: "udp dst port i: CPU time for each packet of a file",
		workload: func(n int) fileWorkload {
			w := b.filterWorkload(n, filterBudget, udpPort)
			w.part = tracegen.CountPorts(w.sample, 1)[1 : n+1]
			w.want = whole[1 : n+1]
			return w
		},
	})
}

// equal has flows that are all the same.
func (b *bench) equal(ctx context.Context) string {
	udp := func(int) string { return "udp" }
	_, one := b.readLibpcap(ctx, 0, list(1, filterTask(udp)))
	return b.measureSweep(ctx, sweep{
		title: "Equal flows of a file", unit: "flows", sizes: b.equalFlows,
		text: "Each flow has BPF_FILTER \"udp\", PKT_COUNTER, BYTE_COUNTER. All count the same, which is what libpcap counts.",
		workload: func(n int) fileWorkload {
			w := b.filterWorkload(n, filterBudget, udp)
			w.want = slices.Repeat(one, n)
			return w
		},
	})
}

const (
	mixedSeed  = 7   // of the filters of mixed, churn and changes
	spotChecks = 100 // filters that libpcap is asked about on the whole file
)

// mixed has filters of many kinds.
func (b *bench) mixed(ctx context.Context) string {
	return b.measureSweep(ctx, sweep{
		title: "Mixed filters", unit: "filters", sizes: []int{1, b.mixedFilters}, perPacket: true,
		text: fmt.Sprintf("Hosts, networks of 8 to 32 bits, ports, port ranges, TCP flags, combinations and negations, drawn at random; "+
			"PKT_COUNTER, BYTE_COUNTER. libpcap counts for all filters on its sample, and for %d of them on the whole file, as mapid does.", spotChecks),
		workload: func(n int) fileWorkload {
			filters := tracegen.Filters(n, mixedSeed)
			w := b.filterWorkload(n, 2*filterBudget, func(i int) string { return filters[i] })
			b.verifySample(ctx, w)
			w.step = max(1, n/spotChecks)
			_, w.want = b.readLibpcap(ctx, 0, list(n/w.step, func(i int) string { return "f " + filters[i*w.step] }))
			return w
		},
	})
}

// verifySample has mapid read what the competitor reads, and compares what they count.
func (b *bench) verifySample(ctx context.Context, w fileWorkload) {
	d := b.startDaemon(ctx, "")
	defer d.stop()
	var r fileResult
	b.readFile(ctx, d, w.sample, w, &r)
	_, want := w.competitor(ctx)
	compareCounts("mapid on the sample", r.counts, want)
}

// searches has flow i search for a string of its own.
func (b *bench) searches(ctx context.Context) string {
	return b.measureSweep(ctx, sweep{
		title: "Many strings in a file", unit: "flows", sizes: b.strings,
		text: "Each flow has STR_SEARCH with eight printable characters of its own, PKT_COUNTER, BYTE_COUNTER; one string in ten occurs in the file. " +
			"The libpcap program searches with Boyer-Moore-Horspool. All counters are those of a program that looks each eight bytes of the file up in a table.",
		chart: "strings-file", chartTitle: "String search: CPU time for each packet of a file",
		workload: func(n int) fileWorkload {
			all := tracegen.Strings(n, 1)
			w := b.flowWorkload(n, stringBudget, func(i int) call { return call{"STR_SEARCH", all[i], 0, 0} }, func(i int) string { return "s " + all[i] })
			w.want, w.part = tracegen.CountStrings(all, b.packets, 1), tracegen.CountStrings(all, w.sample, 1)
			return w
		},
	})
}
