package main

import (
	"fmt"
	"log"
	"slices"
	"time"
)

// A sample is what one measurement of a side has given: of mapid, or of the competitor.
type sample struct {
	sent    uint64  // packets
	arrived uint64  // where the programs are; the others were lost on the way
	rate    float64 // packets a second
	mbit    float64 // a second
	idle    float64 // percent of the processors' time
	lost    float64 // packets, mean of the programs
	cpu     time.Duration
	late    time.Duration // from the last packet until all were dealt with

	// Of mapid:
	setup   time.Duration // until all flows were connected
	memory  uint64        // bytes
	matches uint64        // of the file: packets times flows
}

// ns is CPU time for each packet, or each that was not lost.
func (s sample) ns() float64         { return float64(s.cpu) / float64(s.arrived) }
func (s sample) nsCaptured() float64 { return float64(s.cpu) / (float64(s.arrived) - s.lost) }
func (s sample) us() float64         { return s.ns() / 1e3 }
func (s sample) idleShare() float64  { return s.idle }
func (s sample) reached() float64    { return s.mbit }
func (s sample) speed() float64      { return s.rate }
func (s sample) losses() float64     { return s.lost }
func (s sample) lostShare() float64  { return 100 * s.lost / float64(s.arrived) } // percent
func (s sample) setupTime() float64  { return s.setup.Seconds() }
func (s sample) memoryMiB() float64  { return float64(s.memory) / (1 << 20) }

// missed returns which percentage of the packets at a rate the programs have not got: the
// kernel was so busy with them that it did not send it, or they lost it.
func missed(mbit float64) func(sample) float64 {
	return func(s sample) float64 {
		carried := s.mbit / mbit
		if carried > 0.98 {
			carried = 1 // as exact as the sender is
		}
		return 100 - (100-s.lostShare())*carried*float64(s.arrived)/float64(s.sent)
	}
}

// sides are the names of both when the competitor is libpcap.
var sides = []string{"mapid", "libpcap"}

// A duel is what the rounds have given of both sides.
type duel [][]sample

// of is one figure of all samples of a side.
func (d duel) of(side int, figure func(sample) float64) (all figures) {
	for _, s := range d[side] {
		all = append(all, figure(s))
	}
	return all
}

// each writes a figure of both sides.
func (d duel) each(figure func(sample) float64, write func(figures) string) []string {
	return []string{write(d.of(0, figure)), write(d.of(1, figure))}
}

func (d duel) middles(digits int, figure func(sample) float64) []string {
	return d.each(figure, func(f figures) string { return f.middle(digits) })
}

func (d duel) boths(digits int, figure func(sample) float64) []string {
	return d.each(figure, func(f figures) string { return f.both(digits) })
}

func (d duel) worst(figure func(sample) float64) []string {
	return d.each(figure, func(f figures) string { return fixed(f.at(1), 0) })
}

// cycles are those of so many nanoseconds.
func (d duel) cycles(ns func(sample) float64) []string {
	return d.each(ns, func(f figures) string { return fixed(f.median()*clockRate(), 0) })
}

// ratio is that of the medians.
func (d duel) ratio(digits int, figure func(sample) float64) string {
	return fixed(d.of(0, figure).median()/d.of(1, figure).median(), digits)
}

// inTurn measures sides in turn, so that a slow moment of the machine meets all, in so many
// rounds; fewer when they take long. Each time a side gives a sample of each stream; inTurn
// returns what they have given of each stream.
func inTurn(what string, rounds int, sides ...func() []sample) (streams []duel) {
	const long = 20 * time.Second
	start := time.Now()
	for round := 0; round < rounds && (round == 0 || time.Since(start) < long); round++ {
		log.Printf("%s: round %d of %d", what, round+1, rounds)
		for side, measure := range sides {
			for i, s := range measure() {
				if i == len(streams) {
					streams = append(streams, make(duel, len(sides)))
				}
				streams[i][side] = append(streams[i][side], s)
			}
		}
	}
	return streams
}

// figures are what the rounds of a measurement have given.
type figures []float64

// at is the value that a share of the figures does not exceed; 0 when there are none.
func (f figures) at(share float64) float64 {
	if len(f) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(f))[int(share*float64(len(f)-1)+0.5)]
}

func (f figures) median() float64 { return f.at(0.5) }

// middle is the median, with so many digits.
func (f figures) middle(digits int) string { return fixed(f.median(), digits) }

// both is the median and the minimum.
func (f figures) both(digits int) string {
	return f.middle(digits) + " (" + fixed(f.at(0), digits) + ")"
}

// fixed writes a number with so many digits.
func fixed(v float64, digits int) string { return fmt.Sprintf("%.*f", digits, v) }

// thousands writes 10000 as 10,000 and small numbers with the digits that they need.
func thousands(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%.3g", v)
	}
	digits := fixed(v, 0)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
