package ring

import (
	"context"
	"fmt"
	"io"
	"testing"
)

// lengths of packets to measure: the smallest frame, and a full segment.
var lengths = []int{64, 1460}

// BenchmarkWrite measures the cost on the capture thread: batches of 256 into a ring
// whose reader keeps up.
func BenchmarkWrite(b *testing.B) {
	for _, length := range lengths {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			w, _ := pair(b, 1<<20)
			p := numbered(1, length)
			b.ReportAllocs()
			b.SetBytes(int64(length))
			for n := 0; b.Loop(); n++ {
				w.Write(p)
				if n%256 == 255 {
					w.Flush()
					w.page = &page{} // a reader that has read everything
					w.page.read.Store(w.pos)
				}
			}
		})
	}
}

// BenchmarkFull measures the cost of a lost packet.
func BenchmarkFull(b *testing.B) {
	w, _ := pair(b, 0)
	fill(w)
	p := numbered(1, 1460)
	b.ReportAllocs()
	for b.Loop() {
		w.Write(p)
	}
}

// BenchmarkThrough runs writer and reader on two cores. The writer writes batches of 256
// and waits if the ring is full. The reader looks at both ends of every packet.
func BenchmarkThrough(b *testing.B) {
	for _, length := range lengths {
		b.Run(fmt.Sprintf("next/%d", length), func(b *testing.B) {
			through(b, length, func(r *Reader, ctx context.Context) (int, error) {
				p, err := r.Next(ctx)
				touch(p)
				return 1, err
			})
		})
		b.Run(fmt.Sprintf("batch/%d", length), func(b *testing.B) {
			dst := make([]Packet, 64)
			through(b, length, func(r *Reader, ctx context.Context) (int, error) {
				n, err := r.NextBatch(ctx, dst)
				for _, p := range dst[:n] {
					touch(p)
				}
				return n, err
			})
		})
	}
}

var touched byte

func touch(p Packet) {
	if n := len(p.Data); n > 0 {
		touched += p.Data[0] + p.Data[n-1]
	}
}

func through(b *testing.B, length int, next func(*Reader, context.Context) (int, error)) {
	w, r := pair(b, 4<<20)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	b.SetBytes(int64(length))
	b.ResetTimer()
	go func() {
		p := numbered(1, length)
		for n := range b.N {
			w.WriteWait(p)
			if n%256 == 255 {
				w.Flush()
			}
		}
		w.End()
	}()
	seen := 0
	for {
		n, err := next(r, ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		seen += n
	}
	if seen != b.N {
		b.Fatalf("read %d of %d packets", seen, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpps")
}
