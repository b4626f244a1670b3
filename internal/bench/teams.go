package main

import (
	"context"
	"errors"
	"fmt"
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
