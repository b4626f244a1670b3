package result

import (
	"encoding/binary"
	"testing"
)

func TestHashSampleLayout(t *testing.T) {
	s := HashSample{
		TS: 0x0102030405060708, Src: [4]byte{139, 91, 70, 22}, Dst: [4]byte{63, 236, 73, 161}, SrcPort: 3255, DstPort: 80,
		Seq: 3457700617, Flags: SampleSYN | SamplePSH, Proto: 6,
	}
	b := make([]byte, HashSampleSize)
	for i := range b {
		b[i] = 0xee // of the previous sample
	}
	s.Put(b)
	if string(b[:8]) != string([]byte{139, 91, 70, 22, 63, 236, 73, 161}) {
		t.Errorf("addresses % x", b[:8])
	}
	for i, want := range []uint32{3255, 80, 3457700617, 1 | 16, 6, 0} {
		if got := binary.NativeEndian.Uint32(b[8+4*i:]); got != want {
			t.Errorf("word at %d is %d, want %d", 8+4*i, got, want)
		}
	}
	if got := binary.NativeEndian.Uint64(b[32:]); got != s.TS {
		t.Errorf("time stamp %#x", got)
	}
	if got, ok := ParseHashSample(b); !ok || got != s {
		t.Errorf("%+v, %v, want %+v", got, ok, s)
	}
	s.IPv6 = true
	s.Put(b)
	if got, ok := ParseHashSample(b); !ok || got != s {
		t.Errorf("%+v, %v, want %+v", got, ok, s)
	}
	if from, to := s.Source().String(), s.Destination().String(); from != "139.91.70.22:3255" || to != "63.236.73.161:80" {
		t.Errorf("%s > %s", from, to)
	}
}

func TestShortResults(t *testing.T) {
	b := make([]byte, HashSampleSize)
	for n := range b {
		_, hash := ParseHash(b[:n])
		_, gap := ParseGap(b[:n])
		_, info := ParsePktInfo(b[:n])
		_, sample := ParseHashSample(b[:n])
		if hash != (n >= 4) || gap != (n >= 8) || info != (n >= 8) || sample {
			t.Errorf("%d bytes: %v %v %v %v", n, hash, gap, info, sample)
		}
	}
}
