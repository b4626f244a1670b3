package result

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

func TestDistLayout(t *testing.T) {
	d := Dist{Min: 5, Max: 25, Counts: []uint64{1, 2, 3}}
	b := make([]byte, DistSize(2))
	d.Put(b)
	var words []uint64
	for w := range slices.Chunk(b, 8) {
		words = append(words, binary.NativeEndian.Uint64(w))
	}
	if want := []uint64{5, 25, 2, 1, 2, 3, 0}; !slices.Equal(words, want) {
		t.Errorf("%d, want %d", words, want)
	}
	if DistSize(2) != 32+8*3 || DistCount(2) != 24+16 {
		t.Errorf("size %d, last counter at %d", DistSize(2), DistCount(2))
	}
	got, ok := ParseDist(b)
	if !ok || got.Min != d.Min || got.Max != d.Max || !slices.Equal(got.Counts, d.Counts) {
		t.Errorf("%+v, %v, want %+v", got, ok, d)
	}
}

// TestDistIsBounded parses truncated bytes, and bytes that claim more than they
// have.
func TestDistIsBounded(t *testing.T) {
	b := make([]byte, DistSize(2))
	Dist{Counts: make([]uint64, 3)}.Put(b)
	for n := range b {
		if _, ok := ParseDist(b[:n]); ok != (n >= DistCount(3)) { // the unused word may be missing
			t.Errorf("%d bytes: %v", n, ok)
		}
	}
	for _, n := range []uint64{4, 1 << 32, 1<<61 - 4, 1 << 61, 1 << 63, math.MaxUint64} {
		binary.NativeEndian.PutUint64(b[distN:], n)
		if d, ok := ParseDist(b); ok {
			t.Errorf("%d intervals: %+v", n, d)
		}
	}
}
