package result

import (
	"encoding/binary"
	"time"
)

// PktInfoSize is the size of a PktInfo: one uint64.
const PktInfoSize = 8

// PktInfo is the result of PKTINFO for the newest packet that reached it: the
// timestamp in 2^-32 seconds since 1970-01-01 UTC (PktTS), or the length on the
// wire in bytes (PktSize); 0 before the first packet.
type PktInfo uint64

// ParsePktInfo decodes the result of PKTINFO. It returns false if b is too
// short.
func ParsePktInfo(b []byte) (PktInfo, bool) {
	if len(b) < PktInfoSize {
		return 0, false
	}
	return PktInfo(binary.NativeEndian.Uint64(b)), true
}

// Time is the timestamp of PktTS, rounded to the nearest nanosecond.
func (i PktInfo) Time() time.Time { return packetTime(uint64(i)) }
