package main

import (
	"context"
	"fmt"
	"time"
)

// A subject is what captures from the interface b while its cost is measured. It has one or
// more members: flows or programs.
type subject interface {
	// cpu returns the CPU time that all its processes have used so far.
	cpu() time.Duration
	// dealt reports whether it has dealt with all packets.
	dealt(ctx context.Context, all total) bool
	// results returns what each member says after that.
	results(ctx context.Context, all total) []result
	stop()
}

// A total is of all packets since the subject was there.
type total struct {
	arrived uint64
	missing uint64    // sent, but lost before the interface
	want    []uint64  // what each member must get of those that were sent
	end     time.Time // of sending
}

// A result is what a member says of its packets.
type result struct {
	seen uint64 // packets in all; only programs say that
	got  uint64 // packets that it is about
	lost uint64 // of all packets that it should have seen
}

// A session is a subject at work: streams come one after the other and counts add up.
type session struct {
	link
	subject
	traffic
	all  total
	lost uint64 // so far, of all members
}

// step is from one look at a subject to the next.
const step = 20 * time.Millisecond

// run sends a stream to the subject.
func (s *session) run(ctx context.Context, st stream) sample {
	before := s.cpu()
	st.mark = s.mark
	r := s.account(ctx, s.send(st))
	r.cpu -= before
	if m, ok := s.subject.(*mapid); ok {
		r.setup, r.memory = m.setup, m.memory
	}
	return r
}

// account waits until the subject has dealt with what was sent, and compares what it says.
// The CPU time is all that it has used so far.
func (s *session) account(ctx context.Context, r sample) sample {
	s.all.arrived += r.arrived
	s.all.missing += r.sent - r.arrived
	s.all.want = s.want(s.all.arrived)
	s.all.end = time.Now()
	for !poll(patience, step, func() bool { return s.dealt(ctx, s.all) }) {
		s.mustWork()
	}
	r.late, r.cpu = time.Since(s.all.end), s.cpu()
	var results []result
	var err error
	poll(patience, step, func() bool { // results may be behind the books
		results = s.results(ctx, s.all)
		err = compareResults(results, s.all)
		return err == nil
	})
	check(err)
	before := s.lost
	s.lost = 0
	for _, m := range results {
		s.lost += m.lost
	}
	r.lost = float64(s.lost-before) / float64(len(results))
	return r
}

// mustWork fails when the subject does nothing any more: then it is not slow, which the time
// of the part limits, but its counts are wrong.
func (s *session) mustWork() {
	before := s.cpu()
	time.Sleep(time.Second)
	if s.cpu()-before < 10*time.Millisecond {
		fail("%d packets have arrived: not all were seen or lost", s.all.arrived)
	}
}

// compareResults returns an error when a member has got something else than it must. Of
// what was lost nobody knows what it would have got.
func compareResults(results []result, all total) error {
	for i, want := range all.want {
		r := results[i]
		if r.got > want || r.got+r.lost+all.missing < want {
			return fmt.Errorf("member %d of %d has got %d packets and lost %d, it should have got %d "+
				"(%d of %d did not arrive)",
				i+1, len(results), r.got, r.lost, want, all.missing, all.arrived+all.missing)
		}
	}
	return nil
}
