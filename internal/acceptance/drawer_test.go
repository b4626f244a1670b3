package acceptance

import (
	"bytes"
	"math/rand/v2"
)

var (
	packetCounter = step{call: call{"PKT_COUNTER", nil}}
	byteCounter   = step{call: call{"BYTE_COUNTER", nil}}
)

// A drawer draws random chains for a trace. Many are equal or have equal
// prefixes, like those of many programs.
type drawer struct {
	*rand.Rand
	tr      *trace
	filters []step
	drawn   []chain
	changed *drawer // for steps after CHANGE; nil: no such function
}

// newDrawer keeps the filters that are valid for the link type.
func newDrawer(r *rand.Rand, tr *trace, filters []string) *drawer {
	d := &drawer{Rand: r, tr: tr}
	for _, i := range r.Perm(len(filters)) {
		if len(d.filters) == 60 {
			break
		}
		if s, ok := tr.filtering(filters[i]); ok {
			d.filters = append(d.filters, s)
		}
	}
	return d
}

func (d *drawer) chains(n int) (all []chain) {
	for range n {
		all = append(all, d.chain())
	}
	return all
}

// chain draws a chain: an old one, the prefix of an old one with another end,
// or a new one.
func (d *drawer) chain() chain {
	var c chain
	if len(d.drawn) > 10 {
		old := d.drawn[d.IntN(len(d.drawn))]
		switch d.IntN(3) {
		case 0:
			return old
		case 1:
			c = append(c, old[:d.IntN(len(old))]...)
		}
	}
	if len(c) == 0 && d.IntN(4) > 0 {
		c = append(c, d.filter())
	}
	from := d
	for _, s := range c {
		from = from.behind(s)
	}
	for range d.IntN(4) {
		s := from.step()
		c, from = append(c, s), from.behind(s)
	}
	c = append(c, packetCounter, byteCounter)
	d.drawn = append(d.drawn, c)
	return c
}

// change is the function that changes packets, if there is one.
const change = "CHANGE"

// behind returns the drawer for the steps after a step.
func (d *drawer) behind(s step) *drawer {
	if s.name == change {
		return d.changed
	}
	return d
}

func (d *drawer) step() step {
	switch n := d.IntN(10); {
	case n == 0 && d.changed != nil:
		return step{call: call{change, nil}}
	case n < 2:
		return packetCounter
	case n < 3:
		return byteCounter
	case n < 5:
		return d.filter()
	default:
		return d.tr.searching(d.quest())
	}
}

func (d *drawer) filter() step { return d.filters[d.IntN(len(d.filters))] }

// quest draws a search that is likely to match: parts of packets, with windows
// around their position or just beside it.
func (d *drawer) quest() (q quest) {
	place := 0
	for range 1 + d.IntN(4)*d.IntN(2) {
		var piece []byte
		piece, place = d.piece()
		q.alternatives = append(q.alternatives, piece)
	}
	longest := 0
	for _, alt := range q.alternatives {
		longest = max(longest, len(alt))
	}
	q.offset = [...]int{0, place, max(0, place-d.IntN(9)), place + 1, d.IntN(60)}[d.IntN(5)]
	q.depth = [...]int{0, longest, longest + d.IntN(9), longest + d.IntN(1500)}[d.IntN(4)]
	return q
}

// piece draws bytes of a packet, or rare bytes, or NULs.
func (d *drawer) piece() (piece []byte, place int) {
	switch data := d.tr.packets[d.IntN(len(d.tr.packets))].Data; {
	case d.IntN(10) == 0:
		return bytes.Repeat([]byte{0}, 1+d.IntN(9)), d.IntN(60)
	case d.IntN(10) == 0 || len(data) == 0:
		return []byte{0, byte(d.IntN(256)), byte(d.IntN(256))}, d.IntN(60)
	default:
		place = d.IntN(len(data))
		return data[place:min(len(data), place+1+d.IntN(16))], place
	}
}
