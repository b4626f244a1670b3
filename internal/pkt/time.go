package pkt

import (
	"math"
	"time"
)

const nanosPerSecond = 1e9

// Latest is the last possible timestamp, on 7 February 2106. No time in whole
// nanoseconds maps to it.
const Latest = math.MaxUint64

// TS returns a timestamp for Unix seconds and nanoseconds. The fraction is
// nsec*2^32/1e9, rounded up. So fraction*1e9>>32 and fraction*1e6>>32, the
// conversions that programs use, return the original value. nsec beyond a
// second is carried over, for files of careless writers. Times that 32 bits of
// seconds cannot hold become Latest.
func TS(sec uint64, nsec uint64) uint64 {
	if nsec >= nanosPerSecond {
		sec += nsec / nanosPerSecond
		nsec %= nanosPerSecond
		if sec > math.MaxUint32 {
			return Latest
		}
	}
	return sec<<32 | (nsec<<32+nanosPerSecond-1)/nanosPerSecond
}

// Split converts a timestamp to Unix seconds and nanoseconds, rounded to
// nearest. TS and Split are exact inverses for every nanosecond.
func Split(ts uint64) (sec int64, nsec int64) {
	ns := (ts&0xffffffff*nanosPerSecond + 1<<31) >> 32
	if ns == nanosPerSecond {
		return int64(ts>>32) + 1, 0
	}
	return int64(ts >> 32), int64(ns)
}

// Time converts a timestamp to a time.Time in UTC.
func Time(ts uint64) time.Time {
	sec, nsec := Split(ts)
	return time.Unix(sec, nsec).UTC()
}

// FromTime converts t to a timestamp. Times before 1970 become 0, times after
// 2106 Latest.
func FromTime(t time.Time) uint64 {
	sec := t.Unix()
	switch {
	case sec < 0:
		return 0
	case sec > math.MaxUint32:
		return Latest
	}
	return TS(uint64(sec), uint64(t.Nanosecond()))
}

// Ticks converts a duration, which must not be negative, to 2^-32 seconds, rounded up. The
// result for 136 years or more is Latest.
func Ticks(d time.Duration) uint64 {
	sec, nsec := uint64(d/time.Second), uint64(d%time.Second)
	if sec > math.MaxUint32 {
		return Latest
	}
	return TS(sec, nsec)
}

// Duration converts 2^-32 seconds to a duration, rounded up.
func Duration(ticks uint64) time.Duration {
	sec, frac := ticks>>32, ticks&math.MaxUint32
	return time.Duration(sec)*time.Second + time.Duration((frac*nanosPerSecond+math.MaxUint32)>>32)
}
