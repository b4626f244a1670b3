package content

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gomapi/internal/pkt"
)

const letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.:-"

// words returns n patterns of eight letters.
func words(r *rand.Rand, n int) []*Pattern {
	patterns := make([]*Pattern, n)
	for i := range patterns {
		patterns[i] = &Pattern{Strings: [][]byte{some(r, letters, 8)}}
	}
	return patterns
}

// BenchmarkScan searches batches of 256 packets for words; ns/packet includes
// everything.
func BenchmarkScan(b *testing.B) {
	for _, size := range []int{64, 617, 1460} {
		for _, n := range []int{1, 50, 100, 1000, 10000} {
			b.Run(fmt.Sprintf("bytes=%d/patterns=%d", size, n), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				d, s := open(b, words(r, n))
				var links [][]byte
				for range 256 {
					links = append(links, some(r, letters, size))
				}
				measure(b, d, s, packets(links...))
			})
		}
	}
}

func measure(b *testing.B, d *Database, s *Scratch, pkts []*pkt.Packet) {
	hits := make([]Hit, 0, max(d.Len(), 1024))
	b.ReportAllocs()
	for b.Loop() {
		for at := 0; at < len(pkts); {
			n, _ := d.Scan(s, pkts[at:], hits)
			at += n
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pkts)), "ns/packet")
	b.ReportMetric(float64(d.Stats().Again)/float64(d.Stats().Packets), "again/packet")
}

// BenchmarkNew measures the creation and closing of a database.
func BenchmarkNew(b *testing.B) {
	for _, n := range []int{1, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			patterns := words(rand.New(rand.NewPCG(1, 2)), n)
			for b.Loop() {
				d, err := New(patterns)
				if err != nil {
					b.Fatal(err)
				}
				d.Close()
			}
		})
	}
}
