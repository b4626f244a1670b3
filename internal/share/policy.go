package share

import "time"

// Percentages of the room for waiting packets of a device that are taken.
const (
	Filling = 25 // from here on the device is watched
	Half    = 50 // from here on a share may be passed by, if it becomes more
	Brim    = 90 // from here on also if it does not become more
	Empty   = 5  // up to here shares that were passed by may come back
)

const (
	// window is the minimum time over which costs are compared.
	window = 50 * time.Millisecond
	// A share is dear if it takes one part in dear of the time of the device.
	dear = 8
	// A share is passed by for firstTerm, and each time for twice as long as the last time,
	// for longestTerm at most. It begins anew after it has behaved well for forgiven times
	// the last term.
	firstTerm   = time.Second
	longestTerm = time.Minute
	forgiven    = 10
)

// A term is the time for which a share is passed by. The policy's caller guards it.
type term struct {
	length time.Duration // of the last one
	end    time.Time     // it is passed by until then at least; zero: it is not
	back   time.Time     // when it came back
}

// A Policy decides for one device which share to pass by: the one that takes most, when the
// room for waiting packets fills and the share is dear. So a device that is too slow although
// nobody takes much passes nobody by, and the last share is never passed by. It works on
// what it is told, also about the time.
type Policy struct {
	was   Reading // at the beginning of the window
	spent map[*Share]time.Duration
}

// A Reading is the state of a device at a moment.
type Reading struct {
	Now      time.Time
	Fullness int // percent of the room for waiting packets
	Total    Total
	Shares   []*Share // with flows that are not passed by
}

// Look returns the share to pass by now, nil if none is to be.
func (p *Policy) Look(r Reading) *Share {
	if p.spent == nil {
		p.open(r)
		return nil
	}
	took, batches := r.Now.Sub(p.was.Now), r.Total.Batches-p.was.Total.Batches
	if took < window || batches == 0 {
		return nil
	}
	was, spent := p.was, p.spent
	p.open(r)
	if r.Fullness < Half || r.Fullness <= was.Fullness && r.Fullness < Brim || len(r.Shares) < 2 {
		return nil
	}
	var dearest *Share
	var most time.Duration
	for _, s := range r.Shares {
		if cost := s.Spent() - spent[s]; cost > most {
			dearest, most = s, cost
		}
	}
	all := float64(r.Total.Spent - was.Total.Spent)
	busy := min(1, float64(r.Total.Busy-was.Total.Busy)/float64(took))
	if all <= 0 || float64(most)/all*busy < 1./dear {
		return nil
	}
	return dearest
}

// open begins a window.
func (p *Policy) open(r Reading) {
	p.was, p.spent = r, make(map[*Share]time.Duration, len(r.Shares))
	for _, s := range r.Shares {
		p.spent[s] = s.Spent()
	}
}

// Restart makes Look begin a new window, because the plan has changed.
func (p *Policy) Restart() { p.spent = nil }

// Pass notes that the share is passed by from now on.
func (s *Share) Pass(now time.Time) {
	t := &s.term
	if s.Forgiven(now) {
		t.length = firstTerm
	} else {
		t.length = min(2*t.length, longestTerm)
	}
	t.end = now.Add(t.length)
}

// Forgiven reports whether the share is not passed by, and the next time would be as the first.
func (s *Share) Forgiven(now time.Time) bool {
	return !s.Passed() && now.Sub(s.term.back) > forgiven*s.term.length
}

// Passed reports whether the share is passed by.
func (s *Share) Passed() bool { return !s.term.end.IsZero() }

// Left returns how long the share is still passed by at least.
func (s *Share) Left(now time.Time) time.Duration { return max(0, s.term.end.Sub(now)) }

// Return notes that the share is passed by no more.
func (s *Share) Return(now time.Time) { s.term.end, s.term.back = time.Time{}, now }
