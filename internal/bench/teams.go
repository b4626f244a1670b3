package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gomapi/internal/bench/plot"
	"gomapi/internal/testnet"
)

// A team is N programs with the same kind of task, in mapi and in libpcap.
type team struct {
	name  string
	sizes []int
	args  func(program int) []string // of internal/bench/reader
	task  func(program int) string   // of internal/bench/libpcap
	load  func(programs int) teamLoad
}

// A teamLoad is what is sent to a team.
type teamLoad struct {
	touch func([]byte)                  // see stream; may be nil
	want  func(packets uint64) []uint64 // what each program must find in all packets so far
}

// teamSide is what the rounds of one side have given.
type teamSide struct {
	mbit, idle, missed, cpu []float64
	why                     string
}

// teamRow is N programs at one rate.
type teamRow struct {
	programs       int
	mbit           float64
	nobody         float64 // idle when nobody captures
	mapid, libpcap teamSide
}

// compete measures a team at each size and rate.
func (b *bench) compete(ctx context.Context, r road, t team) (rows []*teamRow, err error) {
	nobody := make(map[float64]float64)
	for _, mbit := range b.teamRates {
		if nobody[mbit], err = b.nobody(r, mbit); err != nil {
			return nil, err
		}
	}
	for _, n := range t.sizes {
		var here []*teamRow
		for _, mbit := range b.teamRates {
			here = append(here, &teamRow{programs: n, mbit: mbit, nobody: nobody[mbit]})
		}
		progress("%s: %d programs", t.name, n)
		if err := b.competeMapid(ctx, r, t, here); err != nil {
			return nil, fmt.Errorf("%s, %d programs of mapi: %w", t.name, n, err)
		}
		if err := b.competePcap(ctx, r, t, here); err != nil {
			return nil, fmt.Errorf("%s, %d programs of libpcap: %w", t.name, n, err)
		}
		rows = append(rows, here...)
	}
	return rows, nil
}

// nobody returns the idle share while a stream goes nowhere.
func (b *bench) nobody(r road, mbit float64) (float64, error) {
	var idle []float64
	for range b.longRounds {
		s, err := r.stream(stream{size: frameSize, mbit: mbit, frames: datagrams(frameSize), length: b.streamLength})
		if err != nil {
			return 0, err
		}
		idle = append(idle, s.idle)
	}
	return summarize(idle).median, nil
}

func (b *bench) competeMapid(ctx context.Context, r road, t team, rows []*teamRow) error {
	var args [][]string
	for i := range rows[0].programs {
		args = append(args, t.args(i))
	}
	c, err := b.startMapiCrew(ctx, args)
	if err != nil {
		return err
	}
	defer c.stop()
	return b.turns(ctx, r, t, c, rows, func(r *teamRow) *teamSide { return &r.mapid })
}

func (b *bench) competePcap(ctx context.Context, r road, t team, rows []*teamRow) error {
	var tasks []string
	for i := range rows[0].programs {
		tasks = append(tasks, t.task(i))
	}
	c, err := b.startPcapCrew(tasks)
	if err != nil {
		return err
	}
	defer c.stop()
	return b.turns(ctx, r, t, c, rows, func(r *teamRow) *teamSide { return &r.libpcap })
}

// turns sends each row's load several times, the rows in turn.
func (b *bench) turns(ctx context.Context, r road, t team, c crew, rows []*teamRow, side func(*teamRow) *teamSide) error {
	s := &shift{crew: c}
	l := t.load(rows[0].programs)
	frames := datagrams(frameSize)
	for range b.longRounds {
		for _, row := range rows {
			to := side(row)
			if to.why != "" {
				continue
			}
			w, err := s.carry(ctx, r, stream{size: frameSize, mbit: row.mbit, frames: frames, touch: l.touch, length: b.streamLength}, l.want)
			if errors.Is(err, errSlow) {
				to.why = "too slow"
				return nil // what is left of this load would disturb the next
			}
			if err != nil {
				return err
			}
			to.add(w, row.mbit)
		}
	}
	return nil
}

func (s *teamSide) add(w work, mbit float64) {
	s.mbit, s.idle = append(s.mbit, w.mbit), append(s.idle, w.idle)
	s.missed = append(s.missed, w.missed(mbit))
	s.cpu = append(s.cpu, float64(w.cpu)/float64(w.arrived)/1e3)
}

// missed is which percentage of the packets at a rate the programs have not got: the
// kernel was so busy with them that it did not send it, or they lost it.
func (w work) missed(mbit float64) float64 {
	carried := w.mbit / mbit
	if carried > 0.98 {
		carried = 1 // as exact as the sender is
	}
	return 100 - (100-w.lost)*carried*float64(w.arrived)/float64(w.sent)
}

func teamTable(rows []*teamRow) *table {
	t := newTable("programs", "Mbit/s", "idle %: nobody", "mapid", "libpcap", "missed %: mapid", "libpcap",
		"us of CPU a packet: mapid", "libpcap", "Mbit/s reached: mapid", "libpcap")
	for _, r := range rows {
		cell := func(s *teamSide, of []float64, format string) string {
			if len(of) == 0 {
				return s.why
			}
			return fmt.Sprintf(format, summarize(of).median)
		}
		m, p := &r.mapid, &r.libpcap
		t.row(r.programs, fmt.Sprintf("%.0f", r.mbit), fmt.Sprintf("%.1f", r.nobody), cell(m, m.idle, "%.1f"), cell(p, p.idle, "%.1f"),
			cell(m, m.missed, "%.2f"), cell(p, p.missed, "%.2f"), cell(m, m.cpu, "%.2f"), cell(p, p.cpu, "%.2f"),
			cell(m, m.mbit, "%.0f"), cell(p, p.mbit, "%.0f"))
	}
	return t
}

// teamLines makes a line of each side and rate.
func (b *bench) teamLines(rows []*teamRow, of func(*teamSide) []float64) (lines []plot.Series) {
	for _, mbit := range b.teamRates {
		mapid := plot.Series{Name: fmt.Sprintf("mapid, %.0f Mbit/s", mbit)}
		libpcap := plot.Series{Name: fmt.Sprintf("libpcap, %.0f Mbit/s", mbit), Dashed: true}
		for _, r := range rows {
			if r.mbit != mbit {
				continue
			}
			if y := of(&r.mapid); len(y) > 0 {
				mapid.Points = append(mapid.Points, plot.Point{X: float64(r.programs), Y: summarize(y).median})
			}
			if y := of(&r.libpcap); len(y) > 0 {
				libpcap.Points = append(libpcap.Points, plot.Point{X: float64(r.programs), Y: summarize(y).median})
			}
		}
		lines = append(lines, mapid, libpcap)
	}
	return lines
}

// samplePeriod is that of the paper.
const samplePeriod = 20_000

// sampling measures programs that take one packet in so many.
func (b *bench) sampling(ctx context.Context, ns *testnet.NS) (string, error) {
	rows, err := b.compete(ctx, newRoad(ns), team{
		name: "sampling", sizes: b.samplers,
		args: func(int) []string { return []string{"-period", fmt.Sprint(samplePeriod)} },
		task: func(int) string { return fmt.Sprintf("p %d", samplePeriod) },
		load: func(programs int) teamLoad {
			return teamLoad{want: func(packets uint64) []uint64 {
				want := make([]uint64, programs)
				for i := range want {
					want[i] = packets / samplePeriod
				}
				return want
			}}
		},
	})
	if err != nil {
		return "", err
	}
	x := plot.Axis{Label: "programs"}
	return section("Sampling programs", teamTable(rows), teamText+
		"Each program takes one packet in 20,000: SAMPLE and TO_BUFFER, read in a loop; with libpcap it gets all packets and counts.", b.streamLength, b.longRounds) +
		b.chart("sampling-idle", plot.Chart{Title: "Sampling programs: processors' idle time", X: x,
			Y: plot.Axis{Label: "idle, %", Max: 100}, Series: b.teamLines(rows, func(s *teamSide) []float64 { return s.idle })}) +
		b.chart("sampling-missed", plot.Chart{Title: "Sampling programs: packets that programs did not get", X: x,
			Y: plot.Axis{Label: "missed, %", Max: 100}, Series: b.teamLines(rows, func(s *teamSide) []float64 { return s.missed })}), nil
}

// teamText explains the table.
const teamText = "Each program is a process. Frames of 1,460 bytes for %v at a time, medians of %d rounds. Idle: share of all processors' time, " +
	"the sender's and the kernel's work included; nobody: when nobody captures. Missed: what was not sent, because the kernel was busy with what was before, and what the programs have lost in the mean, as they say themselves. " +
	"CPU: of all programs and mapid; the kernel's work before the rings is the sender's. Every program has found what it must, up to what it has lost. "

// searching measures programs that search each its own string.
func (b *bench) searching(ctx context.Context, ns *testnet.NS) (string, error) {
	most := 1
	for _, n := range b.searchers {
		most = max(most, n)
	}
	words := newLetters().words(most)
	rows, err := b.compete(ctx, newRoad(ns), team{
		name: "searching", sizes: b.searchers,
		args: func(i int) []string { return []string{"-string", words[i]} },
		task: func(i int) string { return "s " + words[i] },
		load: func(programs int) teamLoad { return newWordLoad(words[:programs]).teamLoad() },
	})
	if err != nil {
		return "", err
	}
	return section("Searching programs", teamTable(rows), teamText+
		"Each program searches eight characters of its own, which one packet in 1,000 has for one of them, and takes the packets that have them: STR_SEARCH and TO_BUFFER; "+
		"with libpcap it gets all packets and searches them with Boyer-Moore-Horspool.", b.streamLength, b.longRounds) +
		b.chart("searching-idle", plot.Chart{Title: "Searching programs: processors' idle time", X: plot.Axis{Label: "programs", Log: true},
			Y: plot.Axis{Label: "idle, %", Max: 100}, Series: b.teamLines(rows, func(s *teamSide) []float64 { return s.idle })}), nil
}

// wordLoad puts words into some packets, and counts them.
type wordLoad struct {
	words []string
	noise string // what stands in the place of a word
	next  int
	sent  []uint64 // by word
}

func newWordLoad(words []string) *wordLoad {
	return &wordLoad{words: words, noise: strings.Repeat("z", stringLength), sent: make([]uint64, len(words))}
}

func (l *wordLoad) teamLoad() teamLoad {
	return teamLoad{touch: l.touch, want: func(uint64) []uint64 { return l.sent }}
}

func (l *wordLoad) touch(frame []byte) {
	const one, place = 1000, udpPayload + 700
	word := l.noise
	if l.next++; l.next%one == 0 {
		i := l.next / one % len(l.words)
		word = l.words[i]
		l.sent[i]++
	}
	copy(frame[place:], word)
}
