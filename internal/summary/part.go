package summary

// A part is the rest of a packet from some header on: the captured bytes, and
// the number of bytes on the wire according to the outer headers.
type part struct {
	b    []byte
	wire int
}

// from drops the first n bytes, captured or not.
func (p part) from(n int) part {
	return part{p.b[min(n, len(p.b)):], max(0, p.wire-n)}
}

// first limits the part to n bytes, which may exceed the captured bytes.
func (p part) first(n int) part {
	return part{p.b[:min(n, len(p.b))], n}
}
