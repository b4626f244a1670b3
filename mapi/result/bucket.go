package result

import (
	"encoding/binary"
	"time"
)

// BucketSize is the size of a BucketEntry in bytes.
const BucketSize = 16

// Layout of a BucketEntry.
const (
	bucketTS    = 0 // uint64
	bucketValue = 8 // uint64
)

// A BucketEntry is one entry of the series of BUCKET: the result of a function
// at the end of a period.
type BucketEntry struct {
	TS    uint64 // end of the period, or time of the packet, in 2^-32 s since 1970-01-01 UTC
	Value uint64 // first word of the function's result; 0 for a period without packets
}

// Time is TS as a time.Time in UTC.
func (e BucketEntry) Time() time.Time { return packetTime(e.TS) }

// Append appends the encoded entry, in the format of ReadResults, to b.
func (e BucketEntry) Append(b []byte) []byte {
	b = binary.NativeEndian.AppendUint64(b, e.TS)
	return binary.NativeEndian.AppendUint64(b, e.Value)
}

// ParseBucket decodes an entry. It returns false if b is too short.
func ParseBucket(b []byte) (BucketEntry, bool) {
	if len(b) < BucketSize {
		return BucketEntry{}, false
	}
	return BucketEntry{
		TS:    binary.NativeEndian.Uint64(b[bucketTS:]),
		Value: binary.NativeEndian.Uint64(b[bucketValue:]),
	}, true
}
