package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// entriesPerPacket is how many entries a packet may add to a series for the time
// that it ends, when the room of the series was used up at once. It bounds the
// work on packets, whatever their time stamps and however short the periods.
const entriesPerPacket = 24

// A series passes entries to its reader. When that is slow, the oldest are
// overwritten and counted.
type series struct {
	ring  *flib.Ring
	spare uint64 // entries for ended time that may be added now
	fresh bool   // there are entries that the reader was not told about
}

// newSeries makes a series of room for n entries of size bytes for the function
// called name.
func newSeries(env flib.Env, name string, size, n int) (series, error) {
	ring, err := env.NewSeries(size, n)
	if err != nil {
		err = mapierr.Wrap(mapierr.CodeOf(err, mapierr.DaemonShm), name+": no memory for the series, close flows that are not needed", err)
		return series{}, err
	}
	return series{ring: ring, spare: uint64(ring.Entries())}, nil
}

// earn is told of a packet that ends time.
func (s *series) earn() {
	s.spare = min(s.spare+entriesPerPacket, uint64(s.ring.Entries()))
}

// leaveOut is told that n entries follow for ended time. It returns how many of
// them, the oldest, are not to be appended; they count as lost.
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
