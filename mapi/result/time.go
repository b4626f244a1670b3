package result

import "time"

// packetTime converts a time in 2^-32 s since 1970, rounded to the nearest
// nanosecond.
func packetTime(ts uint64) time.Time {
	return time.Unix(int64(ts>>32), int64((ts&0xffffffff*1e9+1<<31)>>32)).UTC()
}

// packetTimeOrNone is packetTime, but returns the zero time.Time for 0, which
// means no packet.
func packetTimeOrNone(ts uint64) time.Time {
	if ts == 0 {
		return time.Time{}
	}
	return packetTime(ts)
}
