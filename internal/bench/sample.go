package main

import (
	"fmt"
	"log"
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
	slow    bool          // until then has passed too much time

	// Of mapid:
	setup   time.Duration // until all flows were connected
	memory  uint64        // bytes
	matches uint64        // of the file: packets times flows
}

// ns is CPU time for each packet.
func (s sample) ns() float64 { return float64(s.cpu) / float64(s.arrived) }

// nsCaptured is CPU time for each packet that was not lost.
func (s sample) nsCaptured() float64 { return float64(s.cpu) / (float64(s.arrived) - s.lost) }
func (s sample) us() float64         { return s.ns() / 1e3 }
func (s sample) idleShare() float64  { return s.idle }
func (s sample) reached() float64    { return s.mbit }
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

// trouble says what was wrong with a sample at this rate, "" when nothing was.
func (s sample) trouble(mbit float64) string {
	const soon = 300 * time.Millisecond
	switch {
	case s.slow:
		return fmt.Sprintf("%.0f Mbit/s: over %.0f s behind", mbit, patience.Seconds())
	case s.lost > 0:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost", s.mbit, s.lostShare())
	case s.arrived < s.sent:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost before the interface",
			s.mbit, 100*float64(s.sent-s.arrived)/float64(s.sent))
	case s.mbit < 0.95*mbit:
		return fmt.Sprintf("%.0f Mbit/s: the sender gets to %.0f", mbit, s.mbit)
	case s.late > soon:
		return fmt.Sprintf("%.0f Mbit/s: %.1f s behind", s.mbit, s.late.Seconds())
	}
	return ""
}

// results are what the rounds of one side have given, but those that were too slow.
type results []sample

// of is one figure of all samples.
func (r results) of(figure func(sample) float64) (all figures) {
	for _, s := range r {
		if !s.slow {
			all = append(all, figure(s))
		}
	}
	return all
}

// sides are the names of both when the competitor is libpcap.
var sides = []string{"mapid", "libpcap"}

// inTurn measures sides in turn, so that a slow moment of the machine meets all, in so many
// rounds; fewer when they take long. It returns what each side has given.
func inTurn[T any](what string, rounds int, sides ...func() T) [][]T {
	const long = 20 * time.Second
	all := make([][]T, len(sides))
	start := time.Now()
	for round := 0; round < rounds && (round == 0 || time.Since(start) < long); round++ {
		log.Printf("%s: round %d of %d", what, round+1, rounds)
		for i, measure := range sides {
			all[i] = append(all[i], measure())
		}
	}
	return all
}
