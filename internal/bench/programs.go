package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A programWorkload is N programs with the same kind of task, of mapi and of libpcap.
type programWorkload struct {
	name    string
	sizes   []int
	rates   []float64          // Mbit/s
	mapid   func(n int) *mapid // starts the programs of mapi
	task    func(i int) string // of libpcap/programs.c
	traffic func(n int) traffic
}

// A programRow is N programs at one rate.
type programRow struct {
	programs int
	mbit     float64
	nobody   float64     // idle when nobody captures
	samples  [2][]sample // of mapid and libpcap; none: it was too slow
	memory   uint64      // of mapid, in bytes
}

// sides are the subjects of a programRow.
var sides = []string{"mapid", "libpcap"}

// measurePrograms measures each size at each rate.
func (b *bench) measurePrograms(ctx context.Context, l link, w programWorkload) (rows []*programRow) {
	frames := datagrams(frameSize)
	nobody := make([]samples, len(w.rates))
	for i, mbit := range w.rates {
		for range b.liveRounds {
			nobody[i] = append(nobody[i], l.send(b.streamOf(frames, mbit)).idle)
		}
	}
	for _, n := range w.sizes {
		progress("%s: %d programs of mapi, then of libpcap", w.name, n)
		m := w.mapid(n)
		here := make([]*programRow, len(w.rates))
		for i, mbit := range w.rates {
			here[i] = &programRow{programs: n, mbit: mbit, nobody: nobody[i].median(), memory: m.memory}
		}
		b.measureSide(ctx, &session{link: l, subject: m, traffic: w.traffic(n)}, frames, here, 0)
		b.measureSide(ctx, &session{link: l, subject: b.startLibpcap(n, w.task), traffic: w.traffic(n)}, frames, here, 1)
		rows = append(rows, here...)
	}
	return rows
}

// measureSide sends each row's stream several times, the rows in turn, and ends the subject.
func (b *bench) measureSide(ctx context.Context, s *session, frames [][]byte, rows []*programRow, side int) {
	defer s.stop()
	for range b.liveRounds {
		for _, row := range rows {
			r, err := s.run(ctx, b.streamOf(frames, row.mbit))
			if errors.Is(err, errSlow) {
				return // what is left of this stream would disturb the next
			}
			check(err)
			row.samples[side] = append(row.samples[side], r)
		}
	}
}

// of is what the rounds of a side have given.
func (r *programRow) of(side int, figure func(sample) float64) samples {
	return samplesOf(r.samples[side], figure)
}

// median is that of what the rounds of a side have given.
func (r *programRow) median(side, digits int, figure func(sample) float64) string {
	if len(r.samples[side]) == 0 {
		return errSlow.Error()
	}
	return fixed(r.of(side, figure).median(), digits)
}

func (r *programRow) missed(s sample) float64 { return s.missed(r.mbit) }
func (r *programRow) idle(s sample) float64   { return s.idle }

const (
	equalRate   = 500.0 // Mbit/s
	equalFilter = "udp dst portrange 1-60000"
)

// equalPrograms measures programs with the same flow.
func (b *bench) equalPrograms(ctx context.Context, l link) string {
	rows := b.measurePrograms(ctx, l, programWorkload{
		name: "audience", sizes: b.equals, rates: []float64{equalRate},
		mapid: func(n int) *mapid {
			return b.startFlows(ctx, clients{n, 1}, 1, func(int) []call { return counters(filter(equalFilter)) }).rested(ctx)
		},
		task:    func(int) string { return "f " + equalFilter },
		traffic: func(n int) traffic { return oneIn(1, n) },
	})
	t := newTable("programs", "", "ns a packet", "idle %", "lost %", "Mbit/s reached", "memory, MiB")
	for side, name := range sides {
		for _, r := range rows {
			memory := mib(r.memory)
			if side == 1 {
				memory = ""
			}
			t.row(r.programs, name, r.of(side, sample.cpuOfArrived).both(1), r.median(side, 1, sample.idleShare),
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
	period := fmt.Sprint(samplePeriod)
	rows := b.measurePrograms(ctx, l, programWorkload{
		name: "sampling", sizes: b.samplers, rates: b.programRates,
		mapid: func(n int) *mapid {
			return b.startReaders(ctx, n, func(int) []string { return []string{"sample", period} })
		},
		task:    func(int) string { return "p " + period },
		traffic: func(n int) traffic { return oneIn(samplePeriod, n) },
	})
	return b.programSection("Sampling programs", rows,
		"Each program takes one packet in 20,000: SAMPLE and TO_BUFFER, read in a loop; with libpcap it gets all packets and counts.") +
		b.programChart("sampling-idle", "Sampling programs: processors' idle time", "idle, %", false, rows, (*programRow).idle) +
		b.programChart("sampling-missed", "Sampling programs: packets that programs did not get", "missed, %", false, rows, (*programRow).missed)
}

// searching measures programs that search each its own string.
func (b *bench) searching(ctx context.Context, l link) string {
	words := randomWords(slices.Max(b.searchers))
	rows := b.measurePrograms(ctx, l, programWorkload{
		name: "searching", sizes: b.searchers, rates: b.programRates,
		mapid: func(n int) *mapid {
			return b.startReaders(ctx, n, func(i int) []string { return []string{"search", words[i]} })
		},
		task:    func(i int) string { return "s " + words[i] },
		traffic: func(n int) traffic { return withWords(words[:n]) },
	})
	return b.programSection("Searching programs", rows,
		"Each program searches eight characters of its own, which one packet in 1,000 has for one of them, and takes the packets that have them: STR_SEARCH and TO_BUFFER; "+
			"with libpcap it gets all packets and searches them with Boyer-Moore-Horspool.") +
		b.programChart("searching-idle", "Searching programs: processors' idle time", "idle, %", true, rows, (*programRow).idle)
}

// programSection is the section of programs that are processes on both sides.
func (b *bench) programSection(title string, rows []*programRow, what string) string {
	t := newTable("programs", "Mbit/s", "idle %: nobody", "mapid", "libpcap", "missed %: mapid", "libpcap",
		"us of CPU a packet: mapid", "libpcap", "Mbit/s reached: mapid", "libpcap")
	for _, r := range rows {
		us := func(s sample) float64 { return s.cpuOfArrived() / 1e3 }
		t.row(r.programs, fixed(r.mbit, 0), fixed(r.nobody, 1), r.median(0, 1, sample.idleShare), r.median(1, 1, sample.idleShare),
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
func (b *bench) missing(rows []*programRow) string {
	var rates []string
	for _, mbit := range b.programRates {
		from := []string{"never", "never"}
		for _, r := range slices.Backward(rows) {
			for side := range from {
				if r.mbit == mbit && (len(r.samples[side]) == 0 || r.of(side, r.missed).median() > 1) {
					from[side] = fmt.Sprintf("from %d programs on", r.programs)
				}
			}
		}
		rates = append(rates, fmt.Sprintf("at %.0f Mbit/s with mapid %s, with libpcap %s", mbit, from[0], from[1]))
	}
	return "\nMore than 1 % is missed " + strings.Join(rates, "; ") + ".\n"
}

// programChart has a line of each side and rate.
func (b *bench) programChart(name, title, y string, log bool, rows []*programRow, figure func(*programRow, sample) float64) string {
	c := chart{title: title, x: axis{label: "programs", log: log}, y: axis{label: y, max: 100}}
	for _, mbit := range b.programRates {
		for side, who := range sides {
			s := series{name: fmt.Sprintf("%s, %.0f Mbit/s", who, mbit), dashed: side == 1}
			for _, r := range rows {
				if r.mbit == mbit && len(r.samples[side]) > 0 {
					s.add(float64(r.programs), r.of(side, func(s sample) float64 { return figure(r, s) }).median())
				}
			}
			c.series = append(c.series, s)
		}
	}
	return b.addChart(name, c)
}
