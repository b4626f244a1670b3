// Package compact decides when chains move into segments, and segments into larger ones:
// tiered compaction as in an LSM tree. It is a pure policy: given the state and the time,
// it returns a job, or how long to wait. Package engine runs the jobs.
//
// While flows come, segments of about the same size wait until there are fanIn of them,
// which then become one. So the number of times that a chain is built into a segment grows
// with the logarithm of the number of chains. When no flow comes for a while, all segments
// become one. Building a segment takes up to seconds. One small and one large segment can
// be built at the same time, so that chains do not stay unmerged for long.
package compact

import (
	"math/bits"
	"time"
)

const (
	// MaxUnmerged is how many chains may stay unmerged while flows and packets come.
	MaxUnmerged = 16
	MaxIdle     = 2048                   // the same while no packets come, on a started device
	MaxCrowd    = 64                     // with more unmerged chains, a connect waits for a segment
	fanIn       = 16                     // segments that become one
	large       = 1024                   // segments with more chains are built beside small ones
	quietAfter  = 100 * time.Millisecond // time without a connect after which it is quiet
	restFactor  = 8                      // rest after all became one, as a multiple of the time it took
)

// A State is the state of a device for the policy.
type State struct {
	Started  bool      // packets may come
	Traffic  bool      // packets have come since a small segment was last considered
	Unmerged Unmerged  // chains in no segment
	Segments []Segment // of the plan
	Building Building
	Changed  time.Time // of the last connect
	Resume   time.Time // earliest time at which all may become one again, see Rest
}

// Unmerged is the chains in no segment. All methods but Len look at each chain, so the policy
// calls them only where it matters.
type Unmerged interface {
	Len() int
	Idle() int      // chains that are not being built into a segment
	CaughtUp() bool // all chains have caught up
}

// A Segment is one segment of the plan.
type Segment struct {
	Chains int  // of which it was built
	Gone   int  // chains of these that were closed or detached
	Early  bool // some chains could not be shared when it was built
	Ripe   bool // all of these can be shared now
	Passed bool // some of Gone are passed by: they still cost time
	Busy   bool // it is being replaced
}

// Building tells which segments are being built.
type Building struct{ Small, Large bool }

// A Job is a segment to be built.
type Job struct {
	Unmerged bool  // take the unmerged chains
	Segments []int // take the chains of these segments, which the new one replaces
	Large    bool  // counts as Building.Large, else as Building.Small
	All      bool  // takes all chains
}

// Next returns the job to run now. If there is none it returns nil and how long to wait
// before calling again; zero: until the state changes.
func Next(s *State, now time.Time) (*Job, time.Duration) {
	// During the rest, unmerged chains are merged as soon as it is quiet, because packets
	// may come even if no flows do.
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

// First returns the job to run before the first packet of a file: all chains, if more than
// MaxIdle are unmerged. The job is nil while another segment is being built. If wait is set,
// the packet waits until the next segment is built.
func First(s *State) (j *Job, wait bool) {
	if s.Unmerged.Len() <= MaxIdle {
		return nil, false
	}
	if s.Building != (Building{}) {
		return nil, true
	}
	return s.all(), true
}

// Crowded reports whether a connect must wait for the small segment that is being built,
// while packets come: each unmerged chain costs time for every packet.
func (s *State) Crowded() bool { return s.Building.Small && s.Unmerged.Idle() > MaxCrowd }

// Rest returns how long to wait before all become one again, given how long that took.
func Rest(took time.Duration) time.Duration { return restFactor * took }

// pressing reports whether unmerged chains must be merged before it is quiet. Chains of a
// file that nobody has started cost nothing.
func (s *State) pressing(overdue bool) bool {
	if !s.Started && !overdue {
		return false
	}
	n := s.Unmerged.Idle()
	return n > MaxUnmerged && (n > MaxIdle || overdue || s.Traffic)
}

// tier returns the job of building one segment from those of a full tier.
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

// stale returns the job of rebuilding a segment more than half of whose chains are gone, that
// is ripe, or from which chains that are passed by must leave.
func (s *State) stale() *Job {
	for i, g := range s.Segments {
		if !g.Busy && (g.Gone*2 > g.Chains || g.Ripe || g.Passed) {
			if j := s.rebuild([]int{i}); j != nil {
				return j
			}
		}
	}
	return nil
}

// rebuild returns the job of building one segment from several, nil if a segment of that
// size class is being built already.
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

// all returns the job of building one segment from everything.
func (s *State) all() *Job {
	j := &Job{Unmerged: true, Large: true, All: true}
	for i := range s.Segments {
		j.Segments = append(j.Segments, i)
	}
	return j
}

// tierOf is the logarithm of the size of a segment, to a base of about fanIn.
func tierOf(chains int) int { return bits.Len(uint(chains/MaxUnmerged)) / bits.Len(fanIn-1) }

// divided reports whether there is a job once it is quiet.
func (s *State) divided() bool {
	n := len(s.Segments)
	if s.Unmerged.Len() > 0 {
		return true
	}
	return n > 1 || n == 1 && s.Segments[0].Early
}

// untilQuiet returns how long to wait before all can become one segment.
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

// Quiet reports whether there is no job, now or later, unless the state changes.
func (s *State) Quiet() bool { return s.Building == (Building{}) && !s.divided() }
