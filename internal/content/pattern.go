package content

import (
	"bytes"
	"errors"
	"fmt"
	"math"
)

// A Pattern matches a packet if one of Strings lies within the captured bytes
// [Offset, Offset+Depth), counted from the start of the link-layer header. It
// never changes, so any number of searches may share it.
type Pattern struct {
	Strings [][]byte // at least one, none of them empty; any bytes
	Offset  int      // 0 to 2^31-1
	Depth   int      // 0 to 2^31-1; 0: to the end of the packet
}

// Match searches one packet for p. It does not allocate; any goroutine may call it.
func (p *Pattern) Match(captured []byte) bool {
	if p.Offset >= len(captured) {
		return false
	}
	w := captured[p.Offset:]
	if p.Depth > 0 && p.Depth < len(w) {
		w = w[:p.Depth]
	}
	for _, s := range p.Strings {
		if bytes.Contains(w, s) {
			return true
		}
	}
	return false
}

// Impossible reports whether p matches no packet: none of its strings fits into its window.
func (p *Pattern) Impossible() bool {
	for _, s := range p.Strings {
		if p.Depth == 0 || len(s) <= p.Depth {
			return false
		}
	}
	return true
}

// check returns an error if p is invalid.
func (p *Pattern) check() error {
	if len(p.Strings) == 0 {
		return errors.New("it has no strings")
	}
	for _, s := range p.Strings {
		if len(s) == 0 {
			return errors.New("one of its strings is empty")
		}
	}
	if p.Offset < 0 || p.Offset > math.MaxInt32 || p.Depth < 0 || p.Depth > math.MaxInt32 {
		return fmt.Errorf("offset %d and depth %d are not both within 0 to %d", p.Offset, p.Depth, math.MaxInt32)
	}
	return nil
}

// window returns the bytes [from, to) in which p is searched.
func (p *Pattern) window() (from, to uint32) {
	if p.Depth == 0 {
		return uint32(p.Offset), math.MaxUint32
	}
	return uint32(p.Offset), uint32(p.Offset) + uint32(p.Depth)
}
