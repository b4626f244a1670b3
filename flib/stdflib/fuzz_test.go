package stdflib

import (
	"math/rand/v2"
	"testing"

	"gomapi/flib"
)

// FuzzPacket passes packets to the functions that read headers, HASH and HASHSAMP, and
// compares with the models.
func FuzzPacket(f *testing.F) {
	for _, p := range hostile(rand.New(rand.NewPCG(17, 18)), 100) {
		f.Add(p.Link, p.LinkType)
	}
	f.Fuzz(func(t *testing.T, link []byte, linkType uint16) {
		p := &flib.Packet{Link: link, LinkType: linkType}
		for layer := range 4 {
			b := layerBytes(p, int32(layer))
			if got, want := uint32(len(b))+byteSum(b), modelBytes(p, layer); got%500009 != plainHash(want) {
				t.Errorf("layer %d: %d bytes, want %d", layer, len(b), len(want))
			}
		}
		for layer := range int32(4) {
			anyLayerBytes(p, layer)
		}
		if s, ok := anySegmentOf(p); ok {
			s.sample(1)
		}
		s, ok := segmentOf(p)
		want, hash, wantOK := modelSample(p)
		if ok != wantOK {
			t.Fatalf("sampled %v, want %v", ok, wantOK)
		}
		if !ok {
			return
		}
		if got := s.hash(); got != hash {
			t.Errorf("hash %d, want %d", got, hash)
		}
		if got := s.sample(0); got != want {
			t.Errorf("sample %+v, want %+v", got, want)
		}
	})
}
