package nic

import "time"

const (
	// countEvery is how often the ring's counters are looked at, so that they do not
	// overflow and losses are told. A silent interface is looked at once.
	countEvery = time.Second
	// tellEvery is the least time between two messages about losses.
	tellEvery = time.Minute
	// longestEpisode is how long losses may go on before they are told.
	longestEpisode = 10 * time.Second
)

// An episode is a time in which the ring was full again and again: the packets that
// were lost then make one message.
type episode struct {
	lost  uint64    // packets, not told yet
	begin time.Time // of the losses that were not told
	told  time.Time // when the last message was
}

// note takes the losses of one look. It returns the number to tell, 0 for none:
// the episode has ended or lasts long, and the last message is old enough.
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

// pending reports whether there are losses to tell of later.
func (e *episode) pending() bool { return e.lost > 0 }

// look reads the ring's counters now and then.
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

// newLosses returns how many packets the kernel has dropped since the last call. It
// fails when somebody else is just reading the counters.
func (d *device) newLosses() (lost uint64, ok bool) {
	drop, ok := d.stats.dropped()
	if ok {
		lost, d.dropped = drop-d.dropped, drop
	}
	return lost, ok
}

// untilLook is when the next look is due: the zero time when no packet has come since
// the last one, and nothing is to be told.
func (d *device) untilLook() time.Time {
	if d.delivered == d.looked && !d.losses.pending() {
		return time.Time{}
	}
	return d.nextLook
}

// tellLosses tells people of packets that were lost, and what helps.
func (d *device) tellLosses(lost uint64) {
	if lost > 0 {
		d.log("interface %s: ring full, %d packets lost, as mapid was too slow for them: a larger ring_mb (now %d) "+
			"bridges bursts; fewer or simpler flows take less time", d.name, lost, d.opts.ringBytes>>20)
	}
}

// tellLast tells of the losses that no look has found.
func (d *device) tellLast() {
	lost, _ := d.newLosses()
	d.tellLosses(d.losses.lost + lost)
}

// earlier returns the earlier of two times, of which the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
