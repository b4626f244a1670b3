package result

import (
	"encoding/binary"
	"time"
)

// ThresholdSize is the size of a ThresholdEvent in bytes. The last 4 are zero.
const ThresholdSize = 24

// Layout of a ThresholdEvent.
const (
	thresholdTS        = 0  // uint64
	thresholdValue     = 8  // uint64
	thresholdRemaining = 16 // int32
)

// Unlimited is the value of Remaining if the number of events has no limit.
const Unlimited = -1

// A ThresholdEvent is one entry of the series of THRESHOLD: a moment when the
// boundary was met.
type ThresholdEvent struct {
	TS uint64 // time of the packet, or of the check, in 2^-32 s since 1970-01-01 UTC
	// Value is the value that was compared with the threshold: the result, its
	// increase within the window, or a difference. Except for a uint64 result,
	// it is a signed number in two's complement, see Int.
	Value     uint64
	Remaining int32 // maximum number of further events, or Unlimited
}

// Time is TS as a time.Time in UTC.
func (e ThresholdEvent) Time() time.Time { return packetTime(e.TS) }

// Int is Value as a signed number.
func (e ThresholdEvent) Int() int64 { return int64(e.Value) }

// Append appends the encoded event, in the format of ReadResults, to b.
func (e ThresholdEvent) Append(b []byte) []byte {
	b = binary.NativeEndian.AppendUint64(b, e.TS)
	b = binary.NativeEndian.AppendUint64(b, e.Value)
	b = binary.NativeEndian.AppendUint32(b, uint32(e.Remaining))
	return append(b, 0, 0, 0, 0)
}

// ParseThreshold decodes an event. It returns false if b is too short.
func ParseThreshold(b []byte) (ThresholdEvent, bool) {
	if len(b) < ThresholdSize {
		return ThresholdEvent{}, false
	}
	return ThresholdEvent{
		TS:        binary.NativeEndian.Uint64(b[thresholdTS:]),
		Value:     binary.NativeEndian.Uint64(b[thresholdValue:]),
		Remaining: int32(binary.NativeEndian.Uint32(b[thresholdRemaining:])),
	}, true
}
