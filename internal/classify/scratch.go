package classify

import "gomapi/internal/pkt"

// Scratch is the working memory that a goroutine needs to use classifiers. The zero value
// is ready for Fit.
type Scratch struct {
	seen     set       // groups that are done for this packet
	readings []reading // of the fields that checks read
	fetched  uint32
}

// A reading is the value of a field in the packet with this stamp.
type reading struct{ value, stamp uint32 }

// Fit makes s large enough for c. It allocates, so call it before the first packet.
func (s *Scratch) Fit(c *Classifier) {
	if len(s.seen.at) >= len(c.groups) && len(s.readings) >= len(c.fields) {
		return
	}
	s.seen = set{at: make([]uint32, max(len(s.seen.at), len(c.groups)+len(c.groups)/4))}
	s.readings = make([]reading, max(len(s.readings), len(c.fields)))
}

// next starts a packet.
func (s *Scratch) next() {
	if s.seen.next() {
		clear(s.readings)
	}
}

// fetch reads the headers of packets before the first of them is decided. They are not in
// the cache; this way the processor waits for many at a time, not for each one
// separately.
func (s *Scratch) fetch(pkts []pkt.Packet) {
	var sum uint32
	for i := range pkts {
		if data := pkts[i].Link; len(data) >= minPacket {
			sum += uint32(data[12]) + uint32(data[minPacket-1])
		}
	}
	s.fetched = sum
}
