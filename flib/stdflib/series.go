package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// maxLeftOut bounds the entries that a series leaves out, so that positions in
// its ring, in bytes, stay below 2^64.
const maxLeftOut = 1 << 56

// A series passes entries to its reader. When that is slow, the oldest are
// overwritten and counted.
type series struct {
	ring  *flib.Ring
	spare uint64 // entries that may still be left out
	fresh bool   // there are entries that the reader was not told about
}

func newSeries(env flib.Env, size, n int) (series, error) {
	ring, err := env.NewSeries(size, n)
	if err != nil {
		err = mapierr.Wrap(mapierr.CodeOf(err, mapierr.DaemonShm), "no memory for the series", err)
	}
	return series{ring: ring, spare: maxLeftOut}, err
}

// leaveOut is told that n entries follow. It returns how many of them, the
// oldest, are not to be appended, because the others take their places. So a gap
// in time, which may be of any length, is bounded work.
func (s *series) leaveOut(n uint64) uint64 {
	room := uint64(s.ring.Entries())
	if n <= room {
		return 0
	}
	skipped := min(n-room, s.spare)
	s.spare -= skipped
	s.ring.Skip(skipped)
	return n - room
}

func (s *series) append(entry []byte) {
	s.ring.Append(entry)
	s.fresh = true
}

// flush shows entries to the reader. It is called once per Process.
func (s *series) flush() {
	if s.fresh {
		s.fresh = false
		s.ring.Flush()
	}
}
