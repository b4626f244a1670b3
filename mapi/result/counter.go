// Package result has the types of function results, with units, and their
// encoding in ReadResults. Numbers are in the host's byte order, like the
// original's structures; sizes are in bytes.
package result

import "encoding/binary"

// CounterSize is the size of a counter: one uint64.
const CounterSize = 8

// Counter is the result of PKT_COUNTER (packets) and BYTE_COUNTER (bytes on the
// wire): the total that has reached the function since the flow was connected.
type Counter uint64

// ParseCounter decodes a counter. It returns false if b is too short.
func ParseCounter(b []byte) (Counter, bool) {
	if len(b) < CounterSize {
		return 0, false
	}
	return Counter(binary.NativeEndian.Uint64(b)), true
}
