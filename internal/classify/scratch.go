package classify

import "gomapi/internal/pkt"

// Scratch is what one goroutine needs to use classifiers. Its zero value is
// ready for Fit.
type Scratch struct {
	seen     set       // groups that were dealt with in this packet
	readings []reading // of the fields that checks ask for
	fetched  uint32
}

// A reading is the value of a field in the packet of a stamp.
type reading struct{ value, stamp uint32 }

// Fit makes s large enough for c. It allocates, so it belongs before the first
// packet.
func (s *Scratch) Fit(c *Classifier) {
	if len(s.seen.at) >= len(c.groups) && len(s.readings) >= len(c.fields) {
		return
	}
	s.seen = set{at: make([]uint32, max(len(s.seen.at), len(c.groups)+len(c.groups)/4))}
	s.readings = make([]reading, max(len(s.readings), len(c.fields)))
}

// next begins a packet.
func (s *Scratch) next() {
	if s.seen.next() {
		clear(s.readings)
	}
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
