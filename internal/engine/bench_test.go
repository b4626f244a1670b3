package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/gopacket/pcapgo"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/tracegen"
)

// letters is the alphabet of payloads and strings in the benchmarks.
const letters = "abcdefghijklmnopqrstuvwxyz"

func text(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rnd.IntN(len(letters))]
	}
	return b
}

// traffic is UDP packets to random ports, with text of 575 bytes.
func traffic(rnd *rand.Rand, n int) []pkt.Packet {
	var pkts []pkt.Packet
	for range n {
		p := udp(uint16(1+rnd.IntN(65535)), 0)
		p.Link = append(p.Link[:42], text(rnd, 575)...)
		p.Wire = uint32(len(p.Link))
		pkts = append(pkts, p)
	}
	return pkts
}

// generate makes packets like those of a real network.
func generate(b *testing.B, n int) (pkts []pkt.Packet) {
	var file bytes.Buffer
	if _, err := tracegen.Write(&file, n, 1); err != nil {
		b.Fatal(err)
	}
	r, err := pcapgo.NewReader(&file)
	if err != nil {
		b.Fatal(err)
	}
	for range n {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			b.Fatal(err)
		}
		pkts = append(pkts, pkt.Packet{TS: 1, Link: data, Wire: uint32(ci.Length), LinkType: ethernet})
	}
	return pkts
}

// BenchmarkFlows runs N flows with batches of packets. One operation is one packet.
func BenchmarkFlows(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 1))
	counters := [][]any{fn("PKT_COUNTER"), fn("BYTE_COUNTER")}
	mixed := tracegen.Filters(10000, 1)
	kinds := []struct {
		name string
		most int
		flow func(i int) [][]any
	}{
		{"ports", 60000, func(i int) [][]any {
			return append([][]any{fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i))}, counters...)
		}},
		{"equal", 10000, func(int) [][]any { return append([][]any{fn("BPF_FILTER", "udp")}, counters...) }},
		{"mixed", 10000, func(i int) [][]any { return append([][]any{fn("BPF_FILTER", mixed[i])}, counters...) }},
		{"strings", 10000, func(int) [][]any {
			return append([][]any{fn("STR_SEARCH", string(text(rnd, 8)), int64(0), int64(0))}, counters...)
		}},
	}
	generated := generate(b, 64*drivers.MaxBatch)
	pkts := traffic(rnd, 64*drivers.MaxBatch)
	for _, k := range kinds {
		for _, n := range []int{1, 10, 50, 600, 1000, 10000, 60000} {
			if n > k.most {
				continue
			}
			pkts := pkts
			if k.name == "mixed" {
				pkts = generated
			}
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) { benchFlows(b, pkts, n, k.flow) })
		}
	}
}

func benchFlows(b *testing.B, pkts []pkt.Packet, n int, flow func(i int) [][]any) {
	bed := newBed(b)
	c := bed.client(0)
	for i := range n {
		c.connected(flow(i)...)
	}
	last := slices.Clone(pkts[:1])
	last[0].TS = ^uint64(0) // all chains have caught up
	loop := bed.engine.devices[0].cur.loop
	loop.Batch(last)
	bed.merged()
	b.ReportAllocs()
	b.ResetTimer()
	defer b.StopTimer()
	for done := 0; done < b.N; done += drivers.MaxBatch {
		at := done % len(pkts)
		loop.Batch(pkts[at : at+drivers.MaxBatch])
	}
}
