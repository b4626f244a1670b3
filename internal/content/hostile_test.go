package content

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"gomapi/internal/pkt"
)

// A hostile is a combination of patterns and packets that takes long to search.
type hostile struct {
	name     string
	patterns []*Pattern
	link     []byte
}

func hostiles() []hostile {
	r := rand.New(rand.NewPCG(5, 6))
	as := bytes.Repeat([]byte("a"), 1460)
	make10k := func(f func(i int) *Pattern) []*Pattern {
		patterns := make([]*Pattern, 10000)
		for i := range patterns {
			patterns[i] = f(i)
		}
		return patterns
	}
	one := func(s []byte, offset, depth int) *Pattern {
		return &Pattern{Strings: [][]byte{s}, Offset: offset, Depth: depth}
	}
	num := func(i int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(i)) }
	tail := some(r, letters, 6)
	de := bytes.Repeat([]byte("xyabcdefgh"), 146)
	bits := some(r, "ab", 1460)
	return []hostile{
		{"ends", make10k(func(i int) *Pattern { return one(append(num(i), as[:8]...), 0, 0) }), as},
		{"begins", make10k(func(i int) *Pattern { return one(append(bytes.Clone(as[:8]), num(i)...), 0, 0) }), as},
		{"nested", make10k(func(i int) *Pattern { return one(as[:1+i%1000], 0, 0) }), as},
		{"nested short", make10k(func(i int) *Pattern { return one(as[:1+i%8], 0, 0) }), as},
		{"nested short at", make10k(func(i int) *Pattern { return one(as[:1+i%8], i/8, 0) }), as},
		{"nested at", make10k(func(i int) *Pattern { return one(as[:1+i%180], i/1000*100, 0) }), as},
		{"nested at its own", make10k(func(i int) *Pattern { return one(as[:1+i%1000], i%1000, 0) })[:1000], as},
		{"everywhere", make10k(func(i int) *Pattern { return one(as[:1], i, 1) }), as},
		{"missed windows", make10k(func(i int) *Pattern { return one(as[:8], 1400+i%16, 61+i/16) }), as},
		{"long", make10k(func(i int) *Pattern { return one(append(num(i), as[:60]...), 0, 0) }), as},
		{"bits", make10k(func(i int) *Pattern { return one(some(r, "ab", 8+i%30), 0, 0) }), bits},
		{"bits short", make10k(func(i int) *Pattern { return one(some(r, "ab", 1+i%8), 0, 0) }), bits},
		{"same tail", make10k(func(i int) *Pattern { return one(append(num(i), tail...), 0, 0) }), bytes.Repeat(append([]byte("??"), tail...), 182)},
		{"same tail 4", make10k(func(i int) *Pattern { return one(append(some(r, letters, 4), "abab"...), 0, 0) }), bytes.Repeat([]byte("ab"), 730)},
		{"same tail 2", make10k(func(i int) *Pattern { return one(append(some(r, letters, 6), "ab"...), 0, 0) }), bytes.Repeat([]byte("ab"), 730)},
		{"pairs", make10k(func(i int) *Pattern { return one(num(i), 0, 0) }), some(r, "\x00\x01\x02\x03\x04\x05\x06\x07", 1460)},
		{"parts of the packet", make10k(func(i int) *Pattern { at := r.IntN(1400); return one(de[at:at+1+r.IntN(60)], 0, 0) }), de},
		{"parts of a random packet", make10k(func(i int) *Pattern { at := r.IntN(1400); return one(bits[at:at+1+r.IntN(60)], 0, 0) }), bits},
		{"alternatives", make10k(func(i int) *Pattern {
			return &Pattern{Strings: [][]byte{as[:1+i%3], as[:5], num(i)}}
		}), as},
	}
}

func TestHostile(t *testing.T) {
	for _, h := range hostiles() {
		t.Run(h.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			links := [][]byte{h.link, nil}
			for range 2 {
				l := bytes.Clone(h.link)
				for range 5 {
					l[r.IntN(len(l))]++
				}
				links = append(links, l)
			}
			compare(t, h.patterns, packets(links...))
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, h := range hostiles() {
		b.Run(fmt.Sprint(h.name), func(b *testing.B) {
			d, s := open(b, h.patterns)
			pkts := make([]*pkt.Packet, 16)
			for i := range pkts {
				pkts[i] = packets(h.link)[0]
			}
			measure(b, d, s, pkts)
		})
	}
}
