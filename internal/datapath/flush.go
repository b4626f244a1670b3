package datapath

import (
	"time"

	"gomapi/internal/segment"
)

// Bounds of how many results each segment flushes at a time, an accumulator counting as
// one.
const (
	FlushPerBatch = 16  // after a batch of a file
	FlushPerPause = 32  // if no more are pending, at a pause
	FlushPerStep  = 512 // else, in a step of a flush cycle
)

// flushStep is the time between pauses in a flush cycle, if no packet comes.
const flushStep = time.Millisecond

// RushCycle is the time of packets after which a live device that never pauses has a
// flush cycle, in 2^-32 seconds.
const RushCycle = 1 << 31

// A flusher says when sums are added to results. A flush cycle adds all those that were
// pending when it began, in steps, so that no packet waits for long.
type flusher struct {
	segments []*segment.Segment // that run
	ended    []*segment.Segment // that have pending sums still
	left     int                // to be flushed in this cycle
	total    uint64             // packets when it began
	last     time.Time          // when one ended
	newest   uint64             // time stamp then
}

// afterBatch flushes some sums after a batch: of a file a few each time, which has no
// pauses.
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

// step flushes what a step of a cycle does.
func (f *flusher) step() {
	f.flush(FlushPerStep)
	f.left = max(0, f.left-FlushPerStep)
}

// atPause flushes some sums at a pause of a device that has delivered total packets, the
// newest of that time. Results may stay behind for as long as lag. It returns when to
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
		f.left = pending // nothing came since: some were given an older sum before
		return now.Add(flushStep)
	case f.left > 0:
		return now.Add(flushStep)
	}
	return f.last.Add(lag)
}

// flush flushes up to so many results of each segment, and forgets those that have ended
// and drained.
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

// pending returns how many results are to be flushed.
func (f *flusher) pending() (n int) {
	for _, s := range f.segments {
		n += s.Pending()
	}
	for _, s := range f.ended {
		n += s.Pending()
	}
	return n
}

// flushAll makes all results what the packets so far have made of them.
func (f *flusher) flushAll() {
	for _, s := range f.segments {
		s.FlushAll()
	}
	for _, s := range f.ended {
		s.FlushAll()
	}
}
