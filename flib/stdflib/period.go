package stdflib

import (
	"slices"

	"gomapi/internal/mapierr"
)

// parseInterval reads argument number arg of the function called name, an
// interval: one of words, or the length of a period, and then word is empty.
func parseInterval(name string, arg int, text string, words ...string) (word string, ticks uint64, err error) {
	if slices.Contains(words, text) {
		return text, 0, nil
	}
	code := mapierr.BadArgument(arg - 1)
	if ticks, err = parseTicks(text); err != nil {
		return "", 0, mapierr.New(code, "%s: argument %d (interval): %v; or exactly one of %q", name, arg, err, words)
	}
	if ticks == 0 {
		return "", 0, mapierr.New(code, "%s: argument %d (interval): %.40q is no time, want 2^-32 s at least, or exactly one of %q",
			name, arg, text, words)
	}
	return "", ticks, nil
}

// A period cuts packet time into equal pieces, the first of which begins with
// the first packet. A packet ends a period when it comes later than its end; one
// with a time before the period belongs to it all the same.
type period struct {
	ticks   uint64 // its length, at least 1
	last    uint64 // begin of the current one
	started bool
}

// ended returns how many periods the packet at ts ends, and when the first of
// them ended. Those behind the first had no packets.
func (p *period) ended(ts uint64) (n, end uint64) {
	if !p.started {
		p.started, p.last = true, ts
		return 0, 0
	}
	since := int64(ts - p.last)
	if since <= int64(p.ticks) {
		return 0, 0
	}
	n, end = uint64(since-1)/p.ticks, p.last+p.ticks
	p.last += n * p.ticks
	return n, end
}

// endedOne is ended for who takes one period per packet: it reports whether the
// packet ends the current one. The next packets end those that have passed, too.
func (p *period) endedOne(ts uint64) bool {
	n, _ := p.ended(ts)
	if n > 1 {
		p.last -= (n - 1) * p.ticks
	}
	return n > 0
}
