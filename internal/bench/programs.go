package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// sides are the subjects when the competitor is libpcap.
var sides = []string{"mapid", "libpcap"}

// programs are numbers of programs at rates in Mbit/s, each with a kind of task, of mapi
// and of libpcap.
type programs struct {
	part    string
	rates   []float64
	mapid   func(n int) *mapid // starts those of mapi; nil: readers
	task    func(i int) string
	traffic func(n int) traffic
}

func (b *bench) measurePrograms(ctx context.Context, l link, p programs) []*liveRow {
	if p.mapid == nil {
		p.mapid = func(n int) *mapid { return b.startReaders(ctx, n, p.task) }
	}
	var streams []stream
	for _, mbit := range p.rates {
		streams = append(streams, b.streamOf(datagrams(frameSize), mbit))
	}
	return b.measureLive(ctx, l, liveWorkload{
		name: "programs of " + p.part, sizes: b.sizes[p.part], traffic: p.traffic,
		streams: func(int) []stream { return streams },
		subjects: [2]func(int) subject{
			func(n int) subject { return p.mapid(n) },
			func(n int) subject { return b.startLibpcap(ctx, n, p.task) },
		},
	})
}

const (
	equalRate   = 500.0 // Mbit/s
	equalFilter = "udp dst portrange 1-60000"
)

// equalPrograms measures programs with the same flow.
func (b *bench) equalPrograms(ctx context.Context, l link) string {
	first, task := filtering(equalFilter)
	rows := b.measurePrograms(ctx, l, programs{
		part: "audience", rates: []float64{equalRate},
		mapid: func(n int) *mapid {
			return b.startFlows(ctx, clients{n, 1}, 1, func(int) []call { return counters(first) }).rested(ctx)
		},
		task:    func(int) string { return task },
		traffic: func(n int) traffic { return oneIn(1, n) },
	})
	t := newTable("programs", "", "ns a packet", "idle %", "lost %", "Mbit/s reached", "memory, MiB")
	for side, name := range sides {
		for _, r := range rows {
			memory := mib(r.memory)
			if side == 1 {
				memory = ""
			}
			t.row(r.size, name, r.of(side, sample.cpuOfArrived).both(1), r.median(side, 1, sample.idleShare),
				r.median(side, 2, sample.lostShare), r.median(side, 0, sample.reached), memory)
		}
	}
	return section("Many programs with the same flow", t,
		"Each program has BPF_FILTER \"%s\", PKT_COUNTER, BYTE_COUNTER, which all packets match: frames of %d bytes at %.0f Mbit/s for %v, median (minimum) of %d rounds. "+
			"CPU time of mapid, or of all libpcap programs, which are processes and have their filter in the kernel.", equalFilter, frameSize, equalRate, b.streamed, b.liveRounds)
}

const samplePeriod = 20_000 // packets, of which a program that samples takes one

// sampling measures programs that take one packet in so many.
func (b *bench) sampling(ctx context.Context, l link) string {
	rows := b.measurePrograms(ctx, l, programs{
		part: "sampling", rates: b.programRates,
		task:    func(int) string { return fmt.Sprintf("p %d", samplePeriod) },
		traffic: func(n int) traffic { return oneIn(samplePeriod, n) },
	})
	return b.programSection(l, "Sampling programs", rows,
		"Each program takes one packet in 20,000: SAMPLE and TO_BUFFER, read in a loop; with libpcap it gets all packets and counts.") +
		b.programChart("sampling-idle", "Sampling programs: processors' idle time", "idle, %", rows, (*liveRow).idle) +
		b.programChart("sampling-missed", "Sampling programs: packets that programs did not get", "missed, %", rows, (*liveRow).missed)
}

// searching measures programs that search each its own string.
func (b *bench) searching(ctx context.Context, l link) string {
	words := randomWords(slices.Max(b.sizes["searching"]))
	rows := b.measurePrograms(ctx, l, programs{
		part: "searching", rates: b.programRates,
		task:    func(i int) string { return "s " + words[i] },
		traffic: func(n int) traffic { return withWords(words[:n]) },
	})
	return b.programSection(l, "Searching programs", rows,
		"Each program searches eight characters of its own, which one packet in 1,000 has for one of them, and takes the packets that have them: STR_SEARCH and TO_BUFFER; "+
			"with libpcap it gets all packets and searches them with Boyer-Moore-Horspool.") +
		b.programChart("searching-idle", "Searching programs: processors' idle time", "idle, %", rows, (*liveRow).idle)
}

// programSection is the section of programs that are processes on both sides.
func (b *bench) programSection(l link, title string, rows []*liveRow, what string) string {
	nobody := make(map[float64]string)
	for _, mbit := range b.programRates {
		var idle samples
		for range b.liveRounds {
			idle = append(idle, l.send(b.streamOf(datagrams(frameSize), mbit)).idle)
		}
		nobody[mbit] = fixed(idle.median(), 1)
	}
	t := newTable("programs", "Mbit/s", "idle %: nobody", "mapid", "libpcap", "missed %: mapid", "libpcap",
		"us of CPU a packet: mapid", "libpcap", "Mbit/s reached: mapid", "libpcap")
	for _, r := range rows {
		us := func(s sample) float64 { return s.cpuOfArrived() / 1e3 }
		t.row(r.size, fixed(r.stream.mbit, 0), nobody[r.stream.mbit], r.median(0, 1, sample.idleShare), r.median(1, 1, sample.idleShare),
			r.median(0, 2, r.missed), r.median(1, 2, r.missed), r.of(0, us).both(2), r.of(1, us).both(2),
			r.median(0, 0, sample.reached), r.median(1, 0, sample.reached))
	}
	return section(title, t,
		"Each program is a process. Frames of 1,460 bytes for %v at a time, medians of %d rounds. Idle: share of all processors' time, "+
			"the sender's and the kernel's work included; nobody: when nobody captures. Missed: what was not sent, because the kernel was busy with what was before, and what the programs have lost in the mean, as they say themselves. "+
			"CPU: of all programs and mapid, with the minimum; the kernel's work before the rings is the sender's. Every program has found what it must, up to what it has lost. %s",
		b.streamed, b.liveRounds, what) + b.missing(rows)
}

// missing tells from how many programs on each side misses packets.
func (b *bench) missing(rows []*liveRow) string {
	var rates []string
	for _, mbit := range b.programRates {
		from := []string{"never", "never"}
		for _, r := range slices.Backward(rows) {
			for side := range from {
				if r.stream.mbit == mbit && (len(r.samples[side]) == 0 || r.of(side, r.missed).median() > 1) {
					from[side] = fmt.Sprintf("from %d programs on", r.size)
				}
			}
		}
		rates = append(rates, fmt.Sprintf("at %.0f Mbit/s with mapid %s, with libpcap %s", mbit, from[0], from[1]))
	}
	return "\nMore than 1 % is missed " + strings.Join(rates, "; ") + ".\n"
}

// programChart has a line of each side and rate.
func (b *bench) programChart(name, title, y string, rows []*liveRow, figure func(*liveRow, sample) float64) string {
	c := chart{title: title, x: axis{label: "programs", log: true}, y: axis{label: y}}
	for _, mbit := range b.programRates {
		for side, who := range sides {
			s := series{name: fmt.Sprintf("%s, %.0f Mbit/s", who, mbit), dashed: side == 1}
			for _, r := range rows {
				if r.stream.mbit == mbit && len(r.samples[side]) > 0 {
					s.add(float64(r.size), r.of(side, func(s sample) float64 { return figure(r, s) }).median())
				}
			}
			c.series = append(c.series, s)
		}
	}
	return b.addChart(name, c)
}
