package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gomapi/internal/tracegen"
)

// A sweep is file workloads that differ in the number of their flows. The competitor is one
// libpcap program that does the task of each flow (libpcap/programs.c).
type sweep struct {
	*table
	sizes     []int
	perPacket bool // the table has the matches of a packet too
	budget    int  // packets times flows that libpcap may do in a round
	// first returns the function of flow i before its counters, and what the libpcap program
	// is told to do for the same.
	first func(i int) (call, string)
	// want returns what flows count in the first packets of the file; of all flows, or of one
	// in so many.
	want func(flows, packets int) []tracegen.Count
}

const sweepText = "CPU time in nanoseconds per packet of the file, median (minimum); of mapid with its children " +
	"from start to end of the file, and cycles at the clock rate that /proc/cpuinfo shows; of one libpcap program " +
	"that does the same for each packet in turn, on the first packets of the file when there are many flows. " +
	"Matches: packets times flows. Set up: until all flows of a program are connected. "

const sweepColumns = " | matches | mapid | cycles | libpcap | of packets | mapid / libpcap | set up, s | " +
	"mapid's memory, MiB"

func newSweep(title, unit, text string) *sweep {
	t := newTable(title, unit+sweepColumns)
	t.text = sweepText + text
	return &sweep{table: t}
}

// measureSweep measures each size.
func (b *bench) measureSweep(ctx context.Context, s *sweep) *table {
	for _, n := range s.sizes {
		w := b.sweepWorkload(s, n)
		mapid, libpcap := b.measureFile(ctx, fmt.Sprintf("%s, %d", s.title, n), w)
		m, l := mapid.of(sample.ns), libpcap.of(sample.ns)
		matches := []string{fmt.Sprint(mapid[0].matches)}
		if s.perPacket {
			a := fixed(float64(mapid[0].matches)/float64(b.packets), 2)
			matches = slices.Insert(matches, 0, a)
		}
		s.row(n, matches, m.both(1), m.cycles(), l.both(1), w.sample, fixed(m.median()/l.median(), 4),
			mapid.of(sample.setupTime).both(2), mapid.of(sample.memoryMiB).middle(1))
	}
	return s.table
}

func (b *bench) sweepWorkload(s *sweep, n int) fileWorkload {
	w := fileWorkload{flows: n, sample: min(b.packets, max(100, s.budget/n))}
	w.calls = func(i int) []call { first, _ := s.first(i); return counters(first) }
	tasks := list(n, func(i int) string { _, task := s.first(i); return task })
	w.competitor = func(ctx context.Context) (time.Duration, []tracegen.Count) {
		return b.readLibpcap(ctx, w.sample, tasks)
	}
	w.want, w.part = s.want(n, b.packets), s.want(n, w.sample)
	return w
}

// filtering is BPF_FILTER with an expression, for mapid and for libpcap.
func filtering(expression string) (call, string) { return filter(expression), filterTask(expression) }

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

// portSizes are numbers of flows with it.
func (b *bench) portSizes() []int { return b.upTo(1, 10, 100, 600, 1000, 10_000, 60_000) }

// ports has flow i count packets to port i.
func (b *bench) ports(ctx context.Context) *table {
	s := newSweep("Many flows of a file", "flows",
		`Flow i has BPF_FILTER "udp dst port i", PKT_COUNTER, BYTE_COUNTER; each packet of the file matches one flow `+
			"at most. All counters are as the generator of the file says.")
	s.charts = []chart{{file: "flows-file", title: "udp dst port i: CPU time for each packet of a file",
		y: "ns a packet", columns: [2]int{2, 4}}}
	s.sizes, s.budget = b.portSizes(), filterBudget
	s.first = func(i int) (call, string) { return filtering(udpPort(i)) }
	s.want = func(flows, packets int) []tracegen.Count {
		return tracegen.CountPorts(packets, 1)[1 : flows+1]
	}
	return b.measureSweep(ctx, s)
}

// equal has flows that are all the same.
func (b *bench) equal(ctx context.Context) *table {
	s := newSweep("Equal flows of a file", "flows", `Each flow has BPF_FILTER "udp", PKT_COUNTER, BYTE_COUNTER. `+
		"All count the same, which is what libpcap counts.")
	s.sizes, s.budget = b.upTo(1, 10, 100, 1000, 10_000), filterBudget
	s.first = func(int) (call, string) { return filtering("udp") }
	s.want = func(flows, packets int) []tracegen.Count {
		_, one := b.readLibpcap(ctx, packets, []string{filterTask("udp")})
		return slices.Repeat(one, flows)
	}
	return b.measureSweep(ctx, s)
}

const (
	mixedSeed  = 7   // of the filters of mixed, churn and changes
	spotChecks = 100 // filters that libpcap is asked about on the whole file
)

// mixed has filters of many kinds.
func (b *bench) mixed(ctx context.Context) *table {
	s := newSweep("Mixed filters", "filters | matches a packet", fmt.Sprintf("Hosts, networks of 8 to 32 bits, ports, "+
		"port ranges, TCP flags, combinations and negations, drawn at random; PKT_COUNTER, BYTE_COUNTER. libpcap counts "+
		"for all filters on its sample, and for %d of them on the whole file, as mapid does.", spotChecks))
	s.sizes, s.budget, s.perPacket = b.upTo(1, 10_000), 2*filterBudget, true
	filters := tracegen.Filters(slices.Max(s.sizes), mixedSeed)
	s.first = func(i int) (call, string) { return filtering(filters[i]) }
	s.want = func(flows, packets int) []tracegen.Count {
		every := max(1, flows/spotChecks)
		tasks := list(flows/every, func(i int) string { return filterTask(filters[i*every]) })
		_, counts := b.readLibpcap(ctx, packets, tasks)
		return counts
	}
	for _, n := range s.sizes { // all filters on the sample
		w := b.sweepWorkload(s, n)
		_, counts := b.readFile(ctx, w, w.sample)
		_, want := w.competitor(ctx)
		compareCounts("mapid on the sample", counts, want)
	}
	return b.measureSweep(ctx, s)
}

// strings has flow i search for a string of its own.
func (b *bench) strings(ctx context.Context) *table {
	s := newSweep("Many strings in a file", "flows", "Each flow has STR_SEARCH with eight printable characters of its "+
		"own, PKT_COUNTER, BYTE_COUNTER; one string in ten occurs in the file. The libpcap program searches with "+
		"Boyer-Moore-Horspool. All counters are those of a program that looks each eight bytes of the file up in a table.")
	s.charts = []chart{{file: "strings-file", title: "String search: CPU time for each packet of a file",
		y: "ns a packet", columns: [2]int{2, 4}}}
	s.sizes, s.budget = b.upTo(1, 50, 1000, 10_000), stringBudget
	all := tracegen.Strings(slices.Max(s.sizes), 1)
	s.first = func(i int) (call, string) { return call{"STR_SEARCH", all[i], 0, 0}, "s " + all[i] }
	s.want = func(flows, packets int) []tracegen.Count { return tracegen.CountStrings(all[:flows], packets, 1) }
	return b.measureSweep(ctx, s)
}
