package content

import (
	"fmt"

	"gomapi/internal/pkt"
)

// A Hit says that a pattern was found in a packet.
type Hit struct {
	Packet  uint32 // index in the packets given to Scan
	Pattern uint32 // member of the database
}

// A Scratch is the working memory of one goroutine for scans. The zero value
// must be fitted to a database first. Its memory belongs to C, so the owner
// must close it.
type Scratch struct {
	bench   bench
	batch   []*pkt.Packet // packets being searched; see bench.search
	entries int           // entries that it was fitted for

	patterns marks // found in a packet
	strings  progress
}

// Fit makes s large enough for d, in addition to earlier databases. It
// allocates, and must not run concurrently with a Scan that uses s.
func (s *Scratch) Fit(d *Database) error {
	s.patterns.grow(d.patterns.len())
	s.strings.seen.grow(len(d.automaton.strings))
	s.strings.done.grow(len(d.automaton.strings))
	if d.machine != nil {
		if err := s.bench.fit(d.machine); err != nil {
			return fmt.Errorf("search for %d strings: %w", d.counts.strings, err)
		}
		s.entries = max(s.entries, d.machine.entries)
	}
	return nil
}

// Close frees the memory of s. It may be called more than once; s may be fitted
// again.
func (s *Scratch) Close() {
	s.bench.free()
	s.entries = 0
}

// Scan appends a hit for each packet and each pattern that it contains. Packets
// are in order, the patterns of a packet in no order, and each occurs once.
// Scan never grows hits. It stops before a packet whose hits do not fit; n is
// the number of packets decided. With room for Len() hits it decides at least
// one packet. s must be fitted to d. Scan reads the packets' bytes until it
// returns. It does not allocate.
func (d *Database) Scan(s *Scratch, pkts []*pkt.Packet, hits []Hit) (n int, out []Hit) {
	if d.counts.entries == 0 {
		return len(pkts), hits
	}
	if d.machine == nil {
		return d.plod(s, pkts, hits)
	}
	if s.entries < d.machine.entries {
		panic("content: Scan with a Scratch that is not fitted to the Database")
	}
	n, out = d.scan(s, pkts, hits)
	s.batch = nil
	d.packets.Add(uint64(n))
	return n, out
}

func (d *Database) scan(s *Scratch, pkts []*pkt.Packet, hits []Hit) (n int, out []Hit) {
	for n < len(pkts) {
		s.batch = pkts[n:min(n+maxBatch, len(pkts))]
		decided, found, over := s.bench.search(d.machine, s.batch, cap(hits)-len(hits))
		for len(found) > 0 {
			k := samePacket(found)
			h := newHitter(d, s, n+int(found[0].packet), hits)
			for _, m := range found[:k] {
				if !h.entry(uint32(m.entry)) {
					return int(h.packet), hits
				}
			}
			hits, found = h.hits, found[k:]
		}
		n += decided
		if over {
			h := newHitter(d, s, n, hits)
			if !d.automaton.search(pkts[n].Link, &s.strings, &h) {
				return n, hits
			}
			hits = h.hits
			d.again.Add(1)
			n++
		}
	}
	return n, hits
}

// plod is Scan without libhs.
func (d *Database) plod(s *Scratch, pkts []*pkt.Packet, hits []Hit) (n int, out []Hit) {
	for ; n < len(pkts); n++ {
		h := newHitter(d, s, n, hits)
		if !d.automaton.search(pkts[n].Link, &s.strings, &h) {
			break
		}
		hits = h.hits
	}
	d.packets.Add(uint64(n))
	d.again.Add(uint64(n))
	return n, hits
}

// samePacket returns how many of the first matches belong to the same packet.
func samePacket(found []match) int {
	k := 1
	for k < len(found) && found[k].packet == found[0].packet {
		k++
	}
	return k
}

// A hitter collects the hits of one packet.
type hitter struct {
	d      *Database
	found  *marks // patterns
	packet uint32
	hits   []Hit
}

func newHitter(d *Database, s *Scratch, packet int, hits []Hit) hitter {
	s.patterns.forget()
	return hitter{d, &s.patterns, uint32(packet), hits}
}

// entry adds the hits of an entry that was found. It returns false if there is
// no room left.
func (h *hitter) entry(e uint32) bool {
	for _, p := range h.d.entries.of(e) {
		if !h.found.meet(p) {
			continue
		}
		members := h.d.patterns.of(p)
		if cap(h.hits)-len(h.hits) < len(members) {
			return false
		}
		for _, m := range members {
			h.hits = append(h.hits, Hit{h.packet, m})
		}
	}
	return true
}
