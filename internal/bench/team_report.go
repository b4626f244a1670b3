package main

import (
	"fmt"

	"gomapi/internal/bench/plot"
)

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
		both := func(s *teamSide) string {
			if len(s.cpu) == 0 {
				return ""
			}
			f := summarize(s.cpu)
			return fmt.Sprintf("%.2f (%.2f)", f.median, f.least)
		}
		m, p := &r.mapid, &r.libpcap
		t.row(r.programs, fmt.Sprintf("%.0f", r.mbit), fmt.Sprintf("%.1f", r.nobody), cell(m, m.idle, "%.1f"), cell(p, p.idle, "%.1f"),
			cell(m, m.missed, "%.2f"), cell(p, p.missed, "%.2f"), both(m), both(p),
			cell(m, m.mbit, "%.0f"), cell(p, p.mbit, "%.0f"))
	}
	return t
}

// breaking tells from how many programs on each side misses packets.
func (b *bench) breaking(rows []*teamRow) string {
	text := "\nMore than 1 % is missed"
	for i, mbit := range b.teamRates {
		if i > 0 {
			text += ";"
		}
		text += fmt.Sprintf(" at %.0f Mbit/s with mapid %s, with libpcap %s", mbit,
			breaksAt(rows, mbit, func(r *teamRow) *teamSide { return &r.mapid }),
			breaksAt(rows, mbit, func(r *teamRow) *teamSide { return &r.libpcap }))
	}
	return text + ".\n"
}

func breaksAt(rows []*teamRow, mbit float64, side func(*teamRow) *teamSide) string {
	for _, r := range rows {
		s := side(r)
		if r.mbit == mbit && (len(s.missed) == 0 || summarize(s.missed).median > 1) {
			return fmt.Sprintf("from %d programs on", r.programs)
		}
	}
	return "never"
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

// teamText explains the table.
const teamText = "Each program is a process. Frames of 1,460 bytes for %v at a time, medians of %d rounds. Idle: share of all processors' time, " +
	"the sender's and the kernel's work included; nobody: when nobody captures. Missed: what was not sent, because the kernel was busy with what was before, and what the programs have lost in the mean, as they say themselves. " +
	"CPU: of all programs and mapid, with the minimum; the kernel's work before the rings is the sender's. Every program has found what it must, up to what it has lost. "
