package datapath

import (
	"time"

	"gomapi/internal/segment"
)

// Maximum number of results that each segment flushes at a time. An accumulator counts as
// one.
const (
	FlushPerBatch = 16  // after a batch of a file
	FlushPerPause = 32  // at a pause, if no more are pending
	FlushPerStep  = 512 // in a step of a flush cycle, if more are pending
)

// flushStep is the time between pauses in a flush cycle, if no packet comes.
const flushStep = time.Millisecond

// RushCycle is the packet time, in 2^-32 seconds, after which a live device that never
// pauses begins a flush cycle.
const RushCycle = 1 << 31

// A flusher decides when sums are added to results. A flush cycle adds all sums that were
// pending when it began, in steps, so that no packet waits for long.
type flusher struct {
	segments []*segment.Segment // that the loop runs
	ended    []*segment.Segment // that the loop no longer runs, with sums pending
	left     int                // results to flush in this cycle, 0: no cycle
	total    uint64             // packets when the cycle began
	last     time.Time          // of the last step at a pause
	newest   uint64             // time stamp of the newest packet then
}

// afterBatch flushes some sums after a batch. A file has no pauses, so it flushes a few
// after each batch.
func (f *flusher) afterBatch(live bool, newest uint64) {
	if !live {
		f.flush(FlushPerBatch)
		return
	}
	if f.left == 0 && newest-f.newest > RushCycle {
		f.left, f.newest = f.pending(), newest
	}
	if f.left > 0 {
		f.step()
	}
}

// step is one step of a flush cycle.
func (f *flusher) step() {
	f.flush(FlushPerStep)
	f.left = max(0, f.left-FlushPerStep)
}

// atPause flushes some sums at a pause. The device has delivered total packets; newest is
// the newest time stamp. Results may be out of date for as long as lag. It returns when to
// flush more, the zero time if nothing is pending.
func (f *flusher) atPause(lag time.Duration, total, newest uint64) time.Time {
	now := time.Now()
	if f.left == 0 && now.Sub(f.last) >= lag {
		f.left, f.total = f.pending(), total
	}
	if f.left > 0 {
		f.step()
		f.last, f.newest = now, newest
	} else if f.pending() <= FlushPerPause {
		f.flush(FlushPerPause)
	}
	pending := f.pending()
	switch {
	case pending == 0:
		f.left = 0
		return time.Time{}
	case f.left == 0 && f.total == total:
		f.left = pending // no packet came since: some results have an older sum
		return now.Add(flushStep)
	case f.left > 0:
		return now.Add(flushStep)
	}
	return f.last.Add(lag)
}

// flush flushes up to n results of each segment. It forgets ended segments when they have
// drained.
func (f *flusher) flush(n int) {
	for _, s := range f.segments {
		s.Flush(n)
	}
	if len(f.ended) == 0 {
		return
	}
	left := f.ended[:0]
	for _, s := range f.ended {
		if s.Flush(n); s.Pending() > 0 {
			left = append(left, s)
		} else {
			s.Drain()
		}
	}
	clear(f.ended[len(left):])
	f.ended = left
}

// pending returns how many results are pending in all segments.
func (f *flusher) pending() (n int) {
	for _, s := range f.segments {
		n += s.Pending()
	}
	for _, s := range f.ended {
		n += s.Pending()
	}
	return n
}

// flushAll brings all results up to date with the packets so far.
func (f *flusher) flushAll() {
	for _, s := range f.segments {
		s.FlushAll()
	}
	for _, s := range f.ended {
		s.FlushAll()
	}
}
