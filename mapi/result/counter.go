// Package result holds the results of functions as values with units, and
// their layout in bytes as ReadResults gives them. Numbers are in the byte order
// of the host, as the original's structures; sizes are in bytes.
package result

import "encoding/binary"

// CounterSize is the size of a counter: one uint64.
const CounterSize = 8

// Counter is the result of PKT_COUNTER (packets) and BYTE_COUNTER (bytes on the
// wire): what reached the function since the flow was connected.
type Counter uint64

// ParseCounter decodes a counter. It reports false when b is too short.
func ParseCounter(b []byte) (Counter, bool) {
	if len(b) < CounterSize {
		return 0, false
	}
	return Counter(binary.NativeEndian.Uint64(b)), true
}
