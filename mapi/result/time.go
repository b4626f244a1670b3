package result

import "time"

// packetTime converts a time in 2^-32 s since 1970, to the nearest nanosecond.
func packetTime(ts uint64) time.Time {
	return time.Unix(int64(ts>>32), int64((ts&0xffffffff*1e9+1<<31)>>32)).UTC()
}

// packetTimeOrNone is packetTime where 0 stands for no packet: the zero time.Time.
func packetTimeOrNone(ts uint64) time.Time {
	if ts == 0 {
		return time.Time{}
	}
	return packetTime(ts)
}
