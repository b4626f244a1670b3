package main

import (
	"context"
	"fmt"
	"slices"

	"gomapi/internal/testnet"
)

// A crowd is programs, of mapi and of libpcap, which do the same.
type crowd struct {
	what    string
	sizes   []int
	rates   []float64          // Mbit/s
	mapid   func(n int) *mapid // with programs of mapi
	task    func(i int) string // of a program of libpcap
	traffic func(n int) traffic
}

func (b *bench) measureCrowd(ctx context.Context, c crowd) (rows []liveRow) {
	var streams []stream
	for _, mbit := range c.rates {
		streams = append(streams, b.streamOf(mbit))
	}
	for _, n := range c.sizes {
		rows = append(rows, b.measureLive(ctx, liveWorkload{
			what: c.what, size: n, streams: streams, traffic: func() traffic { return c.traffic(n) },
			starts: [2]func() subject{
				func() subject { return c.mapid(n).rest(ctx, testnet.B) },
				func() subject { return b.startLibpcap(ctx, n, c.task) },
			},
		})...)
	}
	return rows
}

const (
	equalRate   = 500.0 // Mbit/s
	equalFilter = "udp dst portrange 1-60000"
)

// audience measures programs with the same flow.
func (b *bench) audience(ctx context.Context) *table {
	t := newTable("Many programs with the same flow",
		"programs |  | ns a packet | idle % | lost % | Mbit/s reached | memory, MiB")
	t.text = fmt.Sprintf(`Each program has BPF_FILTER "%s", PKT_COUNTER, BYTE_COUNTER, which all packets match: frames `+
		"of %d bytes at %.0f Mbit/s for %v, median (minimum) of %d rounds. CPU time of mapid, or of all libpcap programs, "+
		"which are processes and have their filter in the kernel.", equalFilter, frameSize, equalRate, b.stream, b.liveRounds)
	calls := func(int) []call { return counters(filter(equalFilter)) }
	rows := b.measureCrowd(ctx, crowd{
		what: "programs with the same flow", sizes: b.upTo(1, 1000), rates: []float64{equalRate},
		mapid:   func(n int) *mapid { return b.startFlows(ctx, clients{n, 1}, 1, calls) },
		task:    func(int) string { return filterTask(equalFilter) },
		traffic: func(n int) traffic { return oneIn(1, n) },
	})
	for side, name := range sides {
		for _, row := range rows {
			r := row.sides[side]
			memory := r.of(sample.memoryMiB).middle(1)
			if side == 1 {
				memory = ""
			}
			t.row(row.size, name, r.of(sample.ns).both(1), r.of(sample.idleShare).middle(1),
				r.of(sample.lostShare).middle(2), r.of(sample.reached).middle(0), memory)
		}
	}
	return t
}

const samplePeriod = 20_000 // packets, of which a program that samples takes one

// sampling measures programs that take one packet in so many.
func (b *bench) sampling(ctx context.Context) *table {
	t := b.readersTable("Sampling programs", "Each program takes one packet in 20,000: SAMPLE and TO_BUFFER, read in a "+
		"loop; with libpcap it gets all packets and counts.")
	t.charts = []chart{
		{file: "sampling-idle", title: "Sampling programs: processors' idle time",
			y: "idle, %", percent: true, columns: idleColumns, by: rateColumn},
		{file: "sampling-missed", title: "Sampling programs: packets that programs did not get",
			y: "missed, %", percent: true, columns: missedColumns, by: rateColumn},
	}
	task := func(int) string { return fmt.Sprintf("p %d", samplePeriod) }
	return b.compareReaders(ctx, t, b.upTo(1, 2, 5, 10, 20, 50, 100), task,
		func(n int) traffic { return oneIn(samplePeriod, n) })
}

// searching measures programs that search each its own string.
func (b *bench) searching(ctx context.Context) *table {
	t := b.readersTable("Searching programs", "Each program searches eight characters of its own, which one packet in "+
		"1,000 has for one of them, and takes the packets that have them: STR_SEARCH and TO_BUFFER; with libpcap it gets "+
		"all packets and searches them with Boyer-Moore-Horspool.")
	t.charts = []chart{{file: "searching-idle", title: "Searching programs: processors' idle time",
		y: "idle, %", percent: true, columns: idleColumns, by: rateColumn}}
	sizes := b.upTo(1, 5, 10, 50, 100, 1000)
	words := randomWords(slices.Max(sizes))
	return b.compareReaders(ctx, t, sizes, func(i int) string { return "s " + words[i] },
		func(n int) traffic { return withWords(words[:n]) })
}

// readersTable is the section of programs that are processes on both sides.
func (b *bench) readersTable(title, what string) *table {
	t := newTable(title, "programs | Mbit/s | idle %: nobody | mapid | libpcap | missed %: mapid | libpcap | "+
		"us of CPU a packet: mapid | libpcap | Mbit/s reached: mapid | libpcap")
	t.text = fmt.Sprintf("Each program is a process. Frames of 1,460 bytes for %v at a time, medians of %d rounds. Idle: "+
		"share of all processors' time, the sender's and the kernel's work included; nobody: when nobody captures. Missed: "+
		"what was not sent, because the kernel was busy with what was before, and what the programs have lost in the mean, "+
		"as they say themselves. CPU: of all programs and mapid, with the minimum; the kernel's work before the rings is "+
		"the sender's. Every program has found what it must, up to what it has lost. %s", b.stream, b.liveRounds, what)
	return t
}

// Columns of such a table.
const rateColumn = 1

var idleColumns, missedColumns = [2]int{3, 4}, [2]int{5, 6}

func (b *bench) compareReaders(ctx context.Context, t *table, sizes []int, task func(i int) string,
	traffic func(n int) traffic) *table {
	nobody := make(map[float64]string)
	rates := []float64{100, 500}
	for _, mbit := range rates {
		idle := inTurn("nobody", b.liveRounds, func() sample { return b.link.send(b.streamOf(mbit)) })
		nobody[mbit] = results(idle[0]).of(sample.idleShare).middle(1)
	}
	rows := b.measureCrowd(ctx, crowd{
		what: t.title, sizes: sizes, rates: rates, task: task, traffic: traffic,
		mapid: func(n int) *mapid { return b.startReaders(ctx, n, task) },
	})
	for _, r := range rows {
		mbit := r.stream.mbit
		t.row(r.size, mbit, nobody[mbit], r.middles(1, sample.idleShare), r.middles(2, missed(mbit)),
			r.boths(2, sample.us), r.middles(0, sample.reached))
	}
	return t
}
