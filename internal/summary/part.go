package summary

// A part is a stretch of a packet from some header on: the bytes of it that were
// captured, and how many the wire carried, as the headers around it tell.
type part struct {
	b    []byte
	wire int
}

// from leaves out the first n bytes, captured or not.
func (p part) from(n int) part {
	return part{p.b[min(n, len(p.b)):], max(0, p.wire-n)}
}

// first ends the part after n bytes, which may be more than were captured.
func (p part) first(n int) part {
	return part{p.b[:min(n, len(p.b))], n}
}
