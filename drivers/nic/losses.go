package nic

import "time"

const (
	// countEvery is how often the ring's counters are read, so that they do not
	// overflow and losses are logged. On a silent interface they are read only
	// once.
	countEvery = time.Second
	// tellEvery is the minimum interval between two messages about losses.
	tellEvery = time.Minute
	// longestEpisode is how long an episode may last before its losses are
	// logged.
	longestEpisode = 10 * time.Second
)

// An episode is a period in which the ring is full repeatedly. One message
// covers all packets lost in it.
type episode struct {
	lost  uint64    // packets, not logged yet
	begin time.Time // of the losses that are not logged yet
	told  time.Time // time of the last message
}

// note adds the losses of one look. It returns the number to log: 0 unless the
// episode has ended or lasts long, and the last message is old enough.
func (e *episode) note(lost uint64, now time.Time) (tell uint64) {
	if lost > 0 && e.lost == 0 {
		e.begin = now
	}
	e.lost += lost
	over := lost == 0 || now.Sub(e.begin) >= longestEpisode
	if e.lost == 0 || !over || now.Sub(e.told) < tellEvery {
		return 0
	}
	tell, e.lost, e.told = e.lost, 0, now
	return tell
}

// pending reports whether losses remain to be logged.
func (e *episode) pending() bool { return e.lost > 0 }

// look reads the ring's counters at intervals.
func (d *device) look(now time.Time) {
	if now.Before(d.nextLook) {
		return
	}
	d.nextLook = now.Add(countEvery)
	if lost, ok := d.newLosses(); ok {
		d.looked = d.delivered
		d.tellLosses(d.losses.note(lost, now))
	}
}

// newLosses returns how many packets the kernel has dropped since the last
// call. It reports false if another goroutine is reading the counters.
func (d *device) newLosses() (lost uint64, ok bool) {
	drop, ok := d.stats.dropped()
	if ok {
		lost, d.dropped = drop-d.dropped, drop
	}
	return lost, ok
}

// untilLook is the time of the next look. It is zero if no packet has arrived
// since the last look and no losses are pending.
func (d *device) untilLook() time.Time {
	if d.delivered == d.looked && !d.losses.pending() {
		return time.Time{}
	}
	return d.nextLook
}

// tellLosses logs lost packets, and the remedy.
func (d *device) tellLosses(lost uint64) {
	if lost > 0 {
		d.log("interface %s: ring full, %d packets lost, because mapid was too slow: a larger ring_mb (now %d) "+
			"absorbs bursts; fewer or simpler flows take less time", d.name, lost, d.opts.ringBytes>>20)
	}
}

// tellLast logs the losses since the last look.
func (d *device) tellLast() {
	lost, _ := d.newLosses()
	d.tellLosses(d.losses.lost + lost)
}

// earlier returns the earlier of two times; the zero time means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
