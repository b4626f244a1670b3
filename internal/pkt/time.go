package pkt

import "time"

const nanosPerSecond = 1e9

// TS makes a time stamp from Unix seconds and nanoseconds. The fraction is
// nsec*2^32/1e9, rounded up: so fraction*1e9>>32 and fraction*1e6>>32, with which
// programs convert it back, give what went in. nsec beyond a second is carried over,
// as files with careless writers need it.
func TS(sec uint64, nsec uint64) uint64 {
	if nsec >= nanosPerSecond {
		sec += nsec / nanosPerSecond
		nsec %= nanosPerSecond
	}
	return sec<<32 | (nsec<<32+nanosPerSecond-1)/nanosPerSecond
}

// Split takes a time stamp apart into Unix seconds and nanoseconds, rounded to
// nearest. TS and Split are exact inverses for every nanosecond.
func Split(ts uint64) (sec int64, nsec int64) {
	ns := (ts&0xffffffff*nanosPerSecond + 1<<31) >> 32
	if ns == nanosPerSecond {
		return int64(ts>>32) + 1, 0
	}
	return int64(ts >> 32), int64(ns)
}

// Time converts a time stamp to a time.Time in UTC.
func Time(ts uint64) time.Time {
	sec, nsec := Split(ts)
	return time.Unix(sec, nsec).UTC()
}

// FromTime converts t to a time stamp. Times before 1970 give 0.
func FromTime(t time.Time) uint64 {
	sec := t.Unix()
	if sec < 0 {
		return 0
	}
	return TS(uint64(sec), uint64(t.Nanosecond()))
}
