// Package compact decides when chains move into segments, and segments into larger ones:
// tiered compaction as in an LSM tree. It is a pure policy: it is told the state and the
// time, and answers with a job or with how long to wait; others do the work.
//
// While flows come, segments of about the same size wait until there are fanIn of them and
// become one, so that a chain is built into a segment as often as the logarithm of their
// number; when all is quiet, all become one. Building a segment takes up to seconds. A
// small and a large one are built at a time, so that chains are not unmerged for long.
package compact

import (
	"math/bits"
	"time"
)

const (
	// MaxUnmerged is how many chains may stay unmerged while flows and packets come.
	MaxUnmerged = 16
	MaxIdle     = 2048                   // the same while no packets come to a device that was started
	MaxCrowd    = 64                     // unmerged chains with which who connects waits for a segment
	fanIn       = 16                     // segments that become one
	large       = 1024                   // chains of a segment that does not hold up unmerged ones
	quietAfter  = 100 * time.Millisecond // without a connect
	restFactor  = 8                      // time until all become one again, in times that it took
)

// A State is what the policy has to know of a device.
type State struct {
	Started  bool      // packets may come
	Traffic  bool      // packets have come since the policy last asked for a small segment
	Unmerged Unmerged  // chains that are in no segment
	Segments []Segment // of the plan
	Building Building
	Changed  time.Time // of the last connect
	Resume   time.Time // not before then all become one again, see Rest
}

// Unmerged is the chains that are in no segment. All but Len takes a look at each of them,
// so the policy asks only where it matters.
type Unmerged interface {
	Len() int
	Idle() int      // those that are not being built into a segment
	CaughtUp() bool // none is waiting for packets from after its connect
}

// A Segment is one that the plan has.
type Segment struct {
	Chains int  // of which it was made
	Gone   int  // of these, closed or on their own
	Early  bool // some could not be shared when it was built
	Ripe   bool // all of these could be now
	Busy   bool // it is being replaced
}

// Building is which segments are being built.
type Building struct{ Small, Large bool }

// A Job is a segment to be built.
type Job struct {
	Unmerged bool  // of the unmerged chains
	Segments []int // and of those of these segments, which it replaces
	Large    bool  // it holds up large ones, else small ones
	All      bool  // of all chains
}

// Next returns what is to be done now, else nil and how long to wait before asking again,
// zero: until something changes.
func Next(s *State, now time.Time) (*Job, time.Duration) {
	// While all may not become one again, unmerged ones wait for quiet at most: packets
	// may come when flows do not.
	overdue := s.Resume.After(now) && now.Sub(s.Changed) >= quietAfter
	if !s.Building.Small && s.pressing(overdue) {
		return &Job{Unmerged: true}, 0
	}
	if j := s.tier(); j != nil {
		return j, 0
	}
	if j := s.stale(); j != nil {
		return j, 0
	}
	if s.Building != (Building{}) || !s.divided() {
		return nil, 0
	}
	if wait := s.untilQuiet(now); wait > 0 {
		if s.Unmerged.Len() > MaxUnmerged {
			wait = min(wait, quietAfter)
		}
		return nil, wait
	}
	return s.all(), 0
}

// First returns what is to be built before the first packet of a file: if very many chains
// have gathered, all. It is nil while something is being built. Wait says that the packet
// waits until the next segment was built.
func First(s *State) (j *Job, wait bool) {
	if s.Unmerged.Len() <= MaxIdle {
		return nil, false
	}
	if s.Building != (Building{}) {
		return nil, true
	}
	return s.all(), true
}

// Crowded reports whether who connects is to wait for the small segment that is being
// built, while packets come: each unmerged chain costs every packet.
func Crowded(s *State) bool { return s.Building.Small && s.Unmerged.Idle() > MaxCrowd }

// Rest returns how long to wait until all become one again, which has taken some time.
func Rest(took time.Duration) time.Duration { return restFactor * took }

// pressing reports whether unmerged chains cannot wait for quiet. Those of a file that
// nobody has started cost nothing.
func (s *State) pressing(overdue bool) bool {
	if !s.Started && !overdue {
		return false
	}
	n := s.Unmerged.Idle()
	return n > MaxUnmerged && (n > MaxIdle || overdue || s.Traffic)
}

// tier returns the job of making one segment of those of a tier that is full.
func (s *State) tier() *Job {
	var counts [16]int
	for _, g := range s.Segments {
		if !g.Busy {
			counts[tierOf(g.Chains)]++
		}
	}
	for tier, n := range counts {
		if n < fanIn {
			continue
		}
		var same []int
		for i, g := range s.Segments {
			if !g.Busy && tierOf(g.Chains) == tier {
				same = append(same, i)
			}
		}
		if j := s.rebuild(same); j != nil {
			return j
		}
	}
	return nil
}

// stale returns the job of building a segment anew that is not what it was, or could be
// better.
func (s *State) stale() *Job {
	for i, g := range s.Segments {
		if !g.Busy && (g.Gone*2 > g.Chains || g.Ripe) {
			if j := s.rebuild([]int{i}); j != nil {
				return j
			}
		}
	}
	return nil
}

// rebuild returns the job of making one of segments, nil if one of that size is being
// built already.
func (s *State) rebuild(segments []int) *Job {
	n := 0
	for _, i := range segments {
		n += s.Segments[i].Chains
	}
	j := &Job{Segments: segments, Large: n > large}
	if j.Large && s.Building.Large || !j.Large && s.Building.Small {
		return nil
	}
	return j
}

// all returns the job of making one of everything.
func (s *State) all() *Job {
	j := &Job{Unmerged: true, Large: true, All: true}
	for i := range s.Segments {
		j.Segments = append(j.Segments, i)
	}
	return j
}

// tierOf is the logarithm of the size of a segment, to the base of about fanIn.
func tierOf(chains int) int { return bits.Len(uint(chains/MaxUnmerged)) / bits.Len(fanIn-1) }

// divided reports whether there is something to do once it is quiet.
func (s *State) divided() bool {
	n := len(s.Segments)
	if s.Unmerged.Len() > 0 {
		return true
	}
	return n > 1 || n == 1 && s.Segments[0].Early
}

// untilQuiet returns how long to wait until all can become one segment.
func (s *State) untilQuiet(now time.Time) time.Duration {
	wait := max(0, s.Changed.Add(quietAfter).Sub(now), s.Resume.Sub(now))
	if wait > 0 {
		return wait
	}
	for _, g := range s.Segments {
		if g.Early {
			return quietAfter
		}
	}
	if !s.Unmerged.CaughtUp() {
		return quietAfter
	}
	return 0
}

// Quiet reports whether there is nothing to do, also later, unless something changes.
func Quiet(s *State) bool { return s.Building == (Building{}) && !s.divided() }
