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
	part, title, text string
	unit              string // what there are many of
	perPacket         bool   // the table has the matches of a packet too
	chart, chartTitle string // "" for no chart
	budget            int    // packets times flows that libpcap may do in a round
	// first returns the function of flow i before its counters, and what libpcap/programs.c
	// is told to do for the same.
	first func(i int) (call, string)
	// expect sets what is to be counted.
	expect func(w *fileWorkload)
}

const sweepText = "CPU time in nanoseconds per packet of the file, median (minimum); of mapid with its children from start to end of the file, " +
	"and cycles at the clock rate that /proc/cpuinfo shows; of one libpcap program that does the same for each packet in turn, " +
	"on the first packets of the file when there are many flows. Matches: packets times flows. Set up: until all flows of a program are connected. "

// measureSweep measures each size, in fewer rounds when it takes long to set up, and
// returns the section.
func (b *bench) measureSweep(ctx context.Context, s sweep) string {
	columns := []string{s.unit, "matches", "mapid", "cycles", "libpcap", "of packets", "mapid / libpcap", "set up, s", "mapid's memory, MiB"}
	if s.perPacket {
		columns = slices.Insert(columns, 1, "matches a packet")
	}
	t := newTable(columns...)
	mapid, libpcap := series{name: "mapid"}, series{name: "libpcap", dashed: true}
	for _, n := range b.sizes[s.part] {
		log.Printf("%s: %d", s.title, n)
		rounds := 5
		if n > 10_000 {
			rounds = 2
		} else if n > 1000 {
			rounds = 3
		}
		w := b.sweepWorkload(n, s)
		r := b.measureFile(ctx, w, min(rounds, b.rounds))
		var matches uint64
		for _, c := range r.counts {
			matches += c.Packets
		}
		m, c := r.mapid.median(), r.competitor.median()
		cells := []any{n, matches, r.mapid.both(1), cycles(m), r.competitor.both(1), w.sample, fixed(m/c, 4), r.setup.both(2), mib(r.memory)}
		if s.perPacket {
			cells = slices.Insert(cells, 1, any(fixed(float64(matches)/float64(b.packets), 2)))
		}
		t.row(cells...)
		mapid.add(float64(n), m)
		libpcap.add(float64(n), c)
	}
	text := section(s.title, t, "%s", sweepText+s.text)
	if s.chart != "" {
		text += b.addChart(s.chart, chart{s.chartTitle, axis{s.unit, true}, axis{"ns a packet", true}, []series{mapid, libpcap}})
	}
	return text
}

// sweepWorkload has n flows, each with PKT_COUNTER and BYTE_COUNTER behind its first
// function. The competitor is one libpcap program that does the task of each flow
// (libpcap/programs.c), as many for all packets as the budget allows.
func (b *bench) sweepWorkload(n int, s sweep) fileWorkload {
	w := fileWorkload{flows: n, step: 1, sample: min(b.packets, max(100, s.budget/n))}
	w.calls = func(i int) []call { first, _ := s.first(i); return counters(first) }
	tasks := list(n, func(i int) string { _, task := s.first(i); return task })
	w.competitor = func(ctx context.Context) (time.Duration, []tracegen.Count) {
		return b.readLibpcap(ctx, w.sample, tasks)
	}
	s.expect(&w)
	return w
}

// filtering is BPF_FILTER with an expression, for mapid and for libpcap.
func filtering(expression string) (call, string) { return filter(expression), "f " + expression }

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

// countPort is the calls of flow i that counts packets only.
func countPort(i int) []call { return []call{filter(udpPort(i)), {"PKT_COUNTER"}} }

// ports has flow i count packets to port i.
func (b *bench) ports(ctx context.Context, _ link) string {
	whole := tracegen.CountPorts(b.packets, 1)
	return b.measureSweep(ctx, sweep{
		part: "ports", title: "Many flows of a file", unit: "flows", budget: filterBudget,
		text: "Flow i has BPF_FILTER \"udp dst port i\", PKT_COUNTER, BYTE_COUNTER; each packet of the file matches one flow at most. " +
			"All counters are as the generator of the file says.",
		chart: "flows-file", chartTitle: "udp dst port i: CPU time for each packet of a file",
		first: func(i int) (call, string) { return filtering(udpPort(i)) },
		expect: func(w *fileWorkload) {
			w.want, w.part = whole[1:w.flows+1], tracegen.CountPorts(w.sample, 1)[1:w.flows+1]
		},
	})
}

// equal has flows that are all the same.
func (b *bench) equal(ctx context.Context, _ link) string {
	_, one := b.readLibpcap(ctx, 0, []string{"f udp"})
	return b.measureSweep(ctx, sweep{
		part: "equal", title: "Equal flows of a file", unit: "flows", budget: filterBudget,
		text:   "Each flow has BPF_FILTER \"udp\", PKT_COUNTER, BYTE_COUNTER. All count the same, which is what libpcap counts.",
		first:  func(int) (call, string) { return filtering("udp") },
		expect: func(w *fileWorkload) { w.want = slices.Repeat(one, w.flows) },
	})
}

const (
	mixedSeed  = 7   // of the filters of mixed, churn and changes
	spotChecks = 100 // filters that libpcap is asked about on the whole file
)

// mixed has filters of many kinds.
func (b *bench) mixed(ctx context.Context, _ link) string {
	filters := tracegen.Filters(slices.Max(b.sizes["mixed"]), mixedSeed)
	return b.measureSweep(ctx, sweep{
		part: "mixed", title: "Mixed filters", unit: "filters", perPacket: true, budget: 2 * filterBudget,
		text: fmt.Sprintf("Hosts, networks of 8 to 32 bits, ports, port ranges, TCP flags, combinations and negations, drawn at random; "+
			"PKT_COUNTER, BYTE_COUNTER. libpcap counts for all filters on its sample, and for %d of them on the whole file, as mapid does.", spotChecks),
		first: func(i int) (call, string) { return filtering(filters[i]) },
		expect: func(w *fileWorkload) {
			b.verifySample(ctx, *w)
			w.step = max(1, w.flows/spotChecks)
			_, w.want = b.readLibpcap(ctx, 0, list(w.flows/w.step, func(i int) string { return "f " + filters[i*w.step] }))
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
func (b *bench) searches(ctx context.Context, _ link) string {
	all := tracegen.Strings(slices.Max(b.sizes["strings"]), 1)
	return b.measureSweep(ctx, sweep{
		part: "strings", title: "Many strings in a file", unit: "flows", budget: stringBudget,
		text: "Each flow has STR_SEARCH with eight printable characters of its own, PKT_COUNTER, BYTE_COUNTER; one string in ten occurs in the file. " +
			"The libpcap program searches with Boyer-Moore-Horspool. All counters are those of a program that looks each eight bytes of the file up in a table.",
		chart: "strings-file", chartTitle: "String search: CPU time for each packet of a file",
		first: func(i int) (call, string) { return call{"STR_SEARCH", all[i], 0, 0}, "s " + all[i] },
		expect: func(w *fileWorkload) {
			s := all[:w.flows]
			w.want, w.part = tracegen.CountStrings(s, b.packets, 1), tracegen.CountStrings(s, w.sample, 1)
		},
	})
}
