package flibtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"gomapi/flib"
	"gomapi/internal/ring"
)

var recorders = flib.Library{Name: "recorders", Functions: []flib.Def{Samples}}

// frame returns a packet of 60 to 159 bytes, every third one not IPv4.
func frame(n int) *flib.Packet {
	b := make([]byte, 60+n*7%100)
	if n%3 != 0 {
		b[12] = 8
	}
	binary.BigEndian.PutUint32(b[14:], uint32(n))
	return &flib.Packet{TS: uint64(n), Link: b, Wire: uint32(len(b)), LinkType: EN10MB}
}

// sampled is the record of frame(n) as text.
func sampled(n int) string {
	p := frame(n)
	if n%3 != 0 {
		return fmt.Sprint(n, KindIPv4, p.Link[14:])
	}
	return fmt.Sprint(n, KindOther, binary.NativeEndian.AppendUint32(nil, p.Wire))
}

// TestSamplesInBatches gives a slow reader of a file all records, whatever the batches.
func TestSamplesInBatches(t *testing.T) {
	const all = 2000 // more than the buffer holds
	for _, batch := range []int{1, 7, 256, all} {
		w := NewWorld(t)
		w.Offline = true
		b := w.New(recorders, "SAMPLES")
		r, err := ring.Open(b.Ring.Files()...)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := 0; n < all; {
				var in []*flib.Packet
				for ; len(in) < batch && n < all; n++ {
					in = append(in, frame(n))
				}
				b.Process(in...)
			}
			b.Function.(flib.Finisher).End()
		}()
		for n := range all {
			p, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rec := p.Record()
			if got := fmt.Sprint(rec.TS, rec.Kind, rec.Data); got != sampled(n) {
				t.Fatalf("batches of %d: record %d is %s, want %s", batch, n, got, sampled(n))
			}
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, io.EOF) || r.Lost() != 0 {
			t.Errorf("batches of %d: %v at the end, %d lost", batch, err, r.Lost())
		}
		<-done
		r.Close()
	}
}

// TestSamplesDoNotAllocate, while there is room and when there is none.
func TestSamplesDoNotAllocate(t *testing.T) {
	b := New(t, recorders, "SAMPLES")
	in := []*flib.Packet{frame(0), frame(1)}
	if n := testing.AllocsPerRun(1000, func() { b.Process(in...) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if c := b.Ring.Shown(); c.Full == 0 || c.Written+c.Full != 2*1001 {
		t.Errorf("%+v", c)
	}
}
