package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// entriesPerPacket is the number of entries that a packet may add for the time that it
// ends, after the room of the series was used up at once. It bounds the work per packet
// for any time stamp and any period.
const entriesPerPacket = 24

// A series passes entries to its reader. If the reader is slow, the oldest entries are
// overwritten and counted.
type series struct {
	ring  *flib.Ring
	spare uint64 // entries for ended time that may be added now
	fresh bool   // there are entries of which the reader has not been told
}

// newSeries creates a series for n entries of size bytes, for the function called name.
func newSeries(env flib.Env, name string, size, n int) (series, error) {
	ring, err := env.NewSeries(size, n)
	if err != nil {
		err = mapierr.Wrap(mapierr.CodeOf(err, mapierr.DaemonShm), name+": no memory for the series: close flows that are not needed", err)
		return series{}, err
	}
	return series{ring: ring, spare: uint64(ring.Entries())}, nil
}

// earn is called for each packet that ends time.
func (s *series) earn() {
	s.spare = min(s.spare+entriesPerPacket, uint64(s.ring.Entries()))
}

// leaveOut is called before n entries are appended for ended time. It returns how many of
// them, the oldest, must be left out; they count as lost.
func (s *series) leaveOut(n uint64) uint64 {
	kept := min(n, max(s.spare, 1))
	s.spare -= min(s.spare, kept)
	s.ring.LeaveOut(n - kept)
	return n - kept
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
