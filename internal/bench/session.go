package main

import (
	"context"
	"fmt"
	"time"
)

// A subject is a program, or several, whose cost is measured while packets come to the
// interface b. It has one or more flows, processes or captures, its members.
type subject interface {
	// cpu returns the CPU time that all its processes have used so far.
	cpu() time.Duration
	// settle returns when it has dealt with all packets, or errSlow.
	settle(ctx context.Context, all total) error
	// results returns what each member says after that.
	results(ctx context.Context, all total) []result
	stop()
}

// A total is of all packets since the subject was there.
type total struct {
	arrived uint64
	missing uint64   // sent, but lost before the interface
	want    []uint64 // what each member must get of those that were sent
}

// A result is what a member says of its packets.
type result struct {
	seen uint64 // packets in all, of libpcap
	lost uint64 // of all packets that it should have seen
	got  uint64 // packets that it is about
}

// A session is a subject at work: streams come one after the other and counts add up.
type session struct {
	link
	subject
	traffic
	all    total
	before uint64 // lost, of all members
}

// A sample is what a stream was for a subject.
type sample struct {
	transfer
	cpu  time.Duration
	lost float64       // packets, mean of the members
	late time.Duration // from the last packet until all were dealt with
}

// run sends a stream to the subject. It returns errSlow when that has not got done with it.
func (s *session) run(ctx context.Context, st stream) (sample, error) {
	before := s.cpu()
	st.mark = s.mark
	r, err := s.account(ctx, s.send(st))
	r.cpu -= before
	return r, err
}

// account waits until the subject has dealt with a stream, and compares what it says. The
// CPU time is all that it has used so far.
func (s *session) account(ctx context.Context, t transfer) (sample, error) {
	r := sample{transfer: t}
	s.all.arrived += r.arrived
	s.all.missing += r.sent - r.arrived
	s.all.want = s.want(s.all.arrived)
	end := time.Now()
	if err := s.settle(ctx, s.all); err != nil {
		return r, err
	}
	r.late, r.cpu = time.Since(end), s.cpu()
	results := s.results(ctx, s.all)
	var lost uint64
	for _, m := range results {
		lost += m.lost
	}
	r.lost = float64(lost-s.before) / float64(len(results))
	s.before = lost
	return r, compareResults(results, s.all)
}

// compareResults returns an error when a member has got something else than it must. Of
// what was lost nobody knows what it would have got.
func compareResults(results []result, all total) error {
	for i, want := range all.want {
		r := results[i]
		if r.got > want || r.got+r.lost+all.missing < want {
			return fmt.Errorf("member %d of %d has got %d packets and lost %d, it should have got %d (%d of %d did not arrive)",
				i+1, len(results), r.got, r.lost, want, all.missing, all.arrived+all.missing)
		}
	}
	return nil
}

// cpuOfArrived is in ns for each packet that arrived, cpuOfCaptured for each not lost.
func (r sample) cpuOfArrived() float64  { return float64(r.cpu) / float64(r.arrived) }
func (r sample) cpuOfCaptured() float64 { return float64(r.cpu) / (float64(r.arrived) - r.lost) }

func (r sample) idleShare() float64 { return r.idle } // percent
func (r sample) reached() float64   { return r.mbit }
func (r sample) lostShare() float64 { return 100 * r.lost / float64(r.arrived) } // percent

// missed is which percentage of the packets at a rate the members have not got: the kernel
// was so busy with them that it did not send it, or they lost it.
func (r sample) missed(mbit float64) float64 {
	carried := r.mbit / mbit
	if carried > 0.98 {
		carried = 1 // as exact as the sender is
	}
	return 100 - (100-r.lostShare())*carried*float64(r.arrived)/float64(r.sent)
}

// trouble says what was wrong with a sample at this rate, "" when nothing was.
func (r sample) trouble(mbit float64) string {
	const soon = 300 * time.Millisecond
	switch {
	case r.lost > 0:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost", r.mbit, r.lostShare())
	case r.arrived < r.sent:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost before the interface", r.mbit, 100*float64(r.sent-r.arrived)/float64(r.sent))
	case r.mbit < 0.95*mbit:
		return fmt.Sprintf("%.0f Mbit/s: the sender gets to %.0f", mbit, r.mbit)
	case r.late > soon:
		return fmt.Sprintf("%.0f Mbit/s: %.1f s behind", r.mbit, r.late.Seconds())
	}
	return ""
}
