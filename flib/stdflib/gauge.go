package stdflib

import (
	"cmp"

	"gomapi/internal/mapierr"
)

// Types of the values that a gauge reads, with the original's numbers.
const (
	typeChar   = 0 // TYPE_CHAR
	typeInt    = 1 // TYPE_INT
	typeUint64 = 2 // TYPE_UNSIGNED_LONG_LONG
)

// Boundaries, with the original's numbers. Those above boundaryBelow are for differences.
const (
	boundaryEqual     = 0  // TR_B_EQ
	boundaryAbove     = 1  // TR_B_POS
	boundaryBelow     = 2  // TR_B_NEG
	boundaryDiffEqual = 4  // TR_B_D_EQ
	boundaryDiffAbove = 8  // TR_B_D_POS
	boundaryDiffBelow = 16 // TR_B_D_NEG
)

// orders maps a boundary to the order of value and threshold (cmp.Compare) that meets it.
var orders = map[int32]int{
	boundaryEqual: 0, boundaryAbove: 1, boundaryBelow: -1,
	boundaryDiffEqual: 0, boundaryDiffAbove: 1, boundaryDiffBelow: -1,
}

// A gauge compares values with a threshold. A char is unsigned, an int signed. Increases
// and differences are always signed.
type gauge struct {
	typ       int32
	threshold uint64
	order     int       // order of value and threshold at the boundary
	sign      uint64    // the sign bit if values are unsigned
	window    *lookback // values from which increases count; nil: the values themselves are compared
	differ    bool
	began     bool   // window has values
	referred  bool   // prev has been set
	prev      uint64 // value from which the next difference counts

	value uint64 // last compared value
	hit   bool   // it met the boundary
}

// newGauge creates the gauge of a THRESHOLD. looks is the length of the window, if the
// type has one.
func newGauge(typ int32, threshold uint64, boundary int32, looks int) (gauge, error) {
	kind, mode := typ&63, typ&^63
	if kind > typeUint64 || mode != 0 && mode != modePoll && mode != modeWindow {
		return gauge{}, mapierr.New(mapierr.InvalidArgument1,
			"THRESHOLD: argument 1 (type): %d is not a type: use 0 (char), 1 (int) or 2 (uint64), "+
				"with 64 (polling) or 128 (window) added if wanted", typ)
	}
	order, ok := orders[boundary]
	differ := boundary > boundaryBelow
	switch {
	case !ok:
		return gauge{}, mapierr.New(mapierr.InvalidArgument5,
			"THRESHOLD: argument 5 (boundary): %d is not a boundary: use 0 (equal), 1 (above), 2 (below), or 4, 8, 16 for differences", boundary)
	case differ && kind == typeChar:
		return gauge{}, mapierr.New(mapierr.InvalidArgument5,
			"THRESHOLD: argument 5 (boundary): %d is for differences, which chars do not have: use type 1 (int) or 2 (uint64)", boundary)
	}
	g := gauge{typ: kind, threshold: threshold, order: order, differ: differ}
	if mode == modeWindow {
		g.window = newLookback(looks)
	}
	if kind == typeUint64 && mode != modeWindow && !differ {
		g.sign = 1 << 63
	}
	return g, nil
}

// begin fills the window with the value from which increases count. Without begin, this
// is the first value.
func (g *gauge) begin(word uint64) {
	if g.began = true; g.window != nil {
		g.window.fill(g.read(word))
	}
}

// look looks at the result word up to n times, until the outcome (value and hit) changes.
// It returns the number of looks.
func (g *gauge) look(word, n uint64) uint64 {
	v := g.read(word)
	g.value = v
	if g.window != nil {
		if !g.began {
			g.begin(word)
		}
		old, looks := g.window.leaving(v)
		g.value, n = v-old, min(n, looks)
	}
	if g.differ {
		if g.value = g.difference(g.value); g.value != 0 {
			n = 1 // the next look has no difference
		}
	}
	if g.window != nil {
		g.window.add(v, n)
	}
	g.hit = cmp.Compare(int64(g.value^g.sign), int64(g.threshold^g.sign)) == g.order
	return n
}

// read extracts the value from the first word of a result.
func (g *gauge) read(word uint64) uint64 {
	switch g.typ {
	case typeChar:
		return uint64(uint8(word))
	case typeInt:
		return uint64(int64(int32(word)))
	}
	return word
}

// difference returns v minus the last value. Differences count from the first value that
// is not 0; up to it the difference is 0.
func (g *gauge) difference(v uint64) uint64 {
	if !g.referred {
		g.prev, g.referred = v, v != 0
	}
	d := v - g.prev
	g.prev = v
	return d
}
