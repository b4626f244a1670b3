package main

import (
	"context"
	"errors"
	"log"
)

// A liveWorkload is streams for two subjects in turn, mapid and a competitor.
type liveWorkload struct {
	name     string
	sizes    []int                     // of what differs: programs, or frames
	streams  func(size int) []stream   // that each subject gets
	traffic  func(size int) traffic    // what is in them
	subjects [2]func(size int) subject // start one
}

// A liveRow is one stream of one size.
type liveRow struct {
	size    int
	stream  stream
	samples [2][]sample // of the subjects; none when one was too slow
	memory  uint64      // of mapid, in bytes
}

// measureLive makes the rounds of each size: subject after subject, stream after stream.
func (b *bench) measureLive(ctx context.Context, l link, w liveWorkload) (all []*liveRow) {
	for _, size := range w.sizes {
		var rows []*liveRow
		for _, st := range w.streams(size) {
			rows = append(rows, &liveRow{size: size, stream: st})
		}
		for round := range b.liveRounds {
			log.Printf("%s, %d: round %d of %d", w.name, size, round+1, b.liveRounds)
			for side, start := range w.subjects {
				b.measureSide(ctx, &session{link: l, subject: start(size), traffic: w.traffic(size)}, rows, side)
			}
		}
		all = append(all, rows...)
	}
	return all
}

// measureSide sends each row's stream to a subject, and ends it.
func (b *bench) measureSide(ctx context.Context, s *session, rows []*liveRow, side int) {
	defer s.stop()
	for _, row := range rows {
		if m, ok := s.subject.(*mapid); ok {
			row.memory = m.memory
		}
		r, err := s.run(ctx, row.stream)
		if errors.Is(err, errSlow) {
			return // what is left of this stream would disturb the next
		}
		check(err)
		row.samples[side] = append(row.samples[side], r)
	}
}

// of is what the rounds of a side have given.
func (r *liveRow) of(side int, figure func(sample) float64) samples {
	return samplesOf(r.samples[side], figure)
}

// median is that of what the rounds of a side have given.
func (r *liveRow) median(side, digits int, figure func(sample) float64) string {
	if len(r.samples[side]) == 0 {
		return errSlow.Error()
	}
	return fixed(r.of(side, figure).median(), digits)
}

// missed is in percent, see sample.missed.
func (r *liveRow) missed(s sample) float64 { return s.missed(r.stream.mbit) }
func (r *liveRow) idle(s sample) float64   { return s.idle }
