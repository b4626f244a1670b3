package filter

import "gomapi/internal/pkt"

// Scratch is what one goroutine needs to use classifiers. Its zero value is
// ready for Fit.
type Scratch struct {
	turn     uint32    // of the packet
	seen     []uint32  // turn of the packet for which a bundle was dealt with
	readings []reading // of the fields that checks ask for
	fetched  uint32
}

// A reading is the value of a field in the packet of a turn.
type reading struct{ value, turn uint32 }

// Fit makes s large enough for c. It allocates, so it belongs before the first
// packet.
func (s *Scratch) Fit(c *Classifier) {
	if len(s.seen) >= len(c.bundles) && len(s.readings) >= len(c.fields) {
		return
	}
	s.seen = make([]uint32, max(len(s.seen), len(c.bundles)+len(c.bundles)/4))
	s.readings = make([]reading, max(len(s.readings), len(c.fields)))
	s.turn = 0
}

// next begins a packet.
func (s *Scratch) next() {
	if s.turn++; s.turn == 0 {
		s.turn = 1
		clear(s.seen)
		clear(s.readings)
	}
}

// first reports whether it is called for the bundle for the first time in this
// packet.
func (s *Scratch) first(bundle uint32) bool {
	if s.seen[bundle] == s.turn {
		return false
	}
	s.seen[bundle] = s.turn
	return true
}

// fetch looks at the headers of packets before the first of them is decided: they
// are not in the cache, and so the processor waits for many at a time instead of
// for each by itself.
func (s *Scratch) fetch(pkts []pkt.Packet) {
	var sum uint32
	for i := range pkts {
		if data := pkts[i].Link; len(data) >= minPacket {
			sum += uint32(data[12]) + uint32(data[minPacket-1])
		}
	}
	s.fetched = sum
}
