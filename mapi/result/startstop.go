package result

import (
	"encoding/binary"
	"time"
)

// StartStopSize is the size of a StartStop: three uint64.
const StartStopSize = 24

// Offsets in a StartStop.
const (
	startStopFirst       = 0
	startStopFirstPassed = 8
	startStopLast        = 16
)

// StartStop is the result of STARTSTOP: times of packets in 2^-32 s since
// 1970-01-01 UTC, 0 if there was no such packet.
type StartStop struct {
	First       uint64 // of the first packet that reached the function; relative times start there
	FirstPassed uint64 // of the first packet that it passed on
	Last        uint64 // of the last packet that it passed on
}

// FirstTime is First as a time.Time in UTC, zero if there was no such packet.
func (s StartStop) FirstTime() time.Time { return packetTimeOrNone(s.First) }

// FirstPassedTime is FirstPassed as a time.Time in UTC, zero if there was no
// such packet.
func (s StartStop) FirstPassedTime() time.Time { return packetTimeOrNone(s.FirstPassed) }

// LastTime is Last as a time.Time in UTC, zero if there was no such packet.
func (s StartStop) LastTime() time.Time { return packetTimeOrNone(s.Last) }

// ParseStartStop decodes the result of STARTSTOP. It returns false if b is too
// short.
func ParseStartStop(b []byte) (s StartStop, ok bool) {
	if len(b) < StartStopSize {
		return s, false
	}
	s.First = binary.NativeEndian.Uint64(b[startStopFirst:])
	s.FirstPassed = binary.NativeEndian.Uint64(b[startStopFirstPassed:])
	s.Last = binary.NativeEndian.Uint64(b[startStopLast:])
	return s, true
}

// Put encodes s into b, which has at least StartStopSize bytes.
func (s StartStop) Put(b []byte) {
	binary.NativeEndian.PutUint64(b[startStopFirst:], s.First)
	binary.NativeEndian.PutUint64(b[startStopFirstPassed:], s.FirstPassed)
	binary.NativeEndian.PutUint64(b[startStopLast:], s.Last)
}
