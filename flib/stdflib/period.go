package stdflib

import (
	"slices"
	"strconv"
	"strings"

	"gomapi/internal/mapierr"
)

// parseInterval parses an interval, argument arg of the function called name. It returns
// one of words, or "" and the length of a period.
func parseInterval(name string, arg int, text string, words ...string) (word string, ticks uint64, err error) {
	if slices.Contains(words, text) {
		return text, 0, nil
	}
	code := mapierr.BadArgument(arg - 1)
	if ticks, err = parseTicks(text); err != nil {
		return "", 0, mapierr.New(code, "%s: argument %d (interval): %v; or exactly %s", name, arg, err, either(words))
	}
	if ticks == 0 {
		return "", 0, mapierr.New(code, "%s: argument %d (interval): %.40q is not a time: use 2^-32 s or more, or exactly %s",
			name, arg, text, either(words))
	}
	return "", ticks, nil
}

// either lists the words that an interval may be, for people.
func either(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return strings.Join(quoted, " or ")
}

// A period is one of the equal pieces of packet time. The first piece begins with the
// first packet. A packet later than the end of a period ends it. A packet with a time
// before the period counts as part of it.
type period struct {
	ticks   uint64 // length, at least 1
	last    uint64 // start of the current one
	started bool
}

// ended returns how many periods the packet at ts ends, and the end of the first of them.
// All after the first had no packets.
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

// endedOne ends at most one period per packet. It reports whether the packet ends the
// current period; later packets end those that have passed as well.
func (p *period) endedOne(ts uint64) bool {
	n, _ := p.ended(ts)
	if n > 1 {
		p.last -= (n - 1) * p.ticks
	}
	return n > 0
}
