package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A crew is many programs that each do their task on the packets of the interface b.
type crew interface {
	// cpu returns the CPU time that all its processes have used so far.
	cpu() (time.Duration, error)
	// ask returns what each program says, when it has dealt with all packets or has
	// taken too long.
	ask(ctx context.Context, all account) ([]answer, error)
	stop()
}

// An account is of all packets since the crew was there.
type account struct {
	arrived uint64
	missing uint64   // sent, but lost before the interface
	want    []uint64 // what each program must find among those that were sent
}

// An answer is what a program says of its packets.
type answer struct {
	seen  uint64 // packets in all, of a program of libpcap
	lost  uint64 // of all packets that it should have seen
	found uint64 // packets that its task is about
}

// A shift is a crew at work: loads come one after the other and counts add up.
type shift struct {
	crew
	all    account
	before []answer
}

// A work is what a load was for a crew.
type work struct {
	sending
	cpu  time.Duration
	lost float64       // percent of the packets, mean of the programs
	late time.Duration // from the last packet until all were dealt with
}

// errSlow says that a crew did not get done with its packets.
var errSlow = errors.New("too slow")

// carry has the crew work on a stream. want tells what each program must have found in
// all streams so far, by how many packets have arrived.
func (s *shift) carry(ctx context.Context, r road, st stream, want func(arrived uint64) []uint64) (w work, err error) {
	before, err := s.cpu()
	if err != nil {
		return w, err
	}
	if w.sending, err = r.stream(st); err != nil {
		return w, err
	}
	s.all.arrived += w.arrived
	s.all.missing += w.sent - w.arrived
	s.all.want = want(s.all.arrived)
	end := time.Now()
	answers, err := s.ask(ctx, s.all)
	if err != nil {
		return w, err
	}
	w.late = time.Since(end)
	after, err := s.cpu()
	if err != nil {
		return w, err
	}
	w.cpu = after - before
	w.lost = s.newlyLost(answers) / float64(w.arrived) * 100
	return w, compareAnswers(answers, s.all)
}

// newlyLost is the mean of what the programs have lost since the last answers.
func (s *shift) newlyLost(answers []answer) float64 {
	var lost uint64
	for i, a := range answers {
		lost += a.lost
		if s.before != nil {
			lost -= s.before[i].lost
		}
	}
	s.before = answers
	return float64(lost) / float64(len(answers))
}

// compareAnswers returns an error when a program has found something else than it
// must. Of what was lost nobody knows what it would have found.
func compareAnswers(got []answer, all account) error {
	for i, a := range got {
		if a.found > all.want[i] || a.found+a.lost+all.missing < all.want[i] {
			return fmt.Errorf("program %d of %d has found %d packets and lost %d, it should have found %d (%d of %d did not arrive)",
				i+1, len(got), a.found, a.lost, all.want[i], all.missing, all.arrived+all.missing)
		}
	}
	return nil
}

// trouble says what was wrong with a work at this rate, "" when nothing was.
func (w work) trouble(mbit float64) string {
	const soon = 300*time.Millisecond + 2*resultLag
	switch {
	case w.lost > 0:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost", w.mbit, w.lost)
	case w.arrived < w.sent:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost before the interface", w.mbit, 100*float64(w.sent-w.arrived)/float64(w.sent))
	case w.mbit < 0.95*mbit:
		return fmt.Sprintf("%.0f Mbit/s: the sender gets to %.0f", mbit, w.mbit)
	case w.late > soon:
		return fmt.Sprintf("%.0f Mbit/s: %.1f s behind", w.mbit, w.late.Seconds())
	}
	return ""
}

// ignoreSlow passes on errors but that of a slow crew.
func ignoreSlow(err error) error {
	if errors.Is(err, errSlow) {
		return nil
	}
	return err
}
