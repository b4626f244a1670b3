package stdflib

import (
	"math/rand/v2"
	"testing"

	"gomapi/flib"
	"gomapi/mapi/result"
)

// FuzzPacket gives packets to what reads headers, HASH and HASHSAMP, and compares
// with the models.
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
		ip, segment := ports(p)
		want, hash, ok := modelSample(p)
		if (segment != nil) != ok {
			t.Fatalf("sampled %v, want %v", segment != nil, ok)
		}
		if !ok {
			return
		}
		if got := flowHash(ip, segment); got != hash {
			t.Errorf("hash %d, want %d", got, hash)
		}
		var b [result.HashSampleSize]byte
		s := sampleOf(0, ip, segment)
		s.Put(b[:])
		if got, _ := result.ParseHashSample(b[:]); got != want {
			t.Errorf("sample %+v, want %+v", got, want)
		}
	})
}
