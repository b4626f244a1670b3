package ring

import (
	"bytes"
	"encoding/binary"
	"testing"

	"gomapi/internal/pkt"
)

// TestRecordIsTheOriginals reads a record in the way a C program declares it.
func TestRecordIsTheOriginals(t *testing.T) {
	w, r := pair(t, 0)
	w.Write(&pkt.Packet{TS: 0x40ee913774fa5b90, IfIndex: 0x1234, LinkType: 127, Wire: 1514, Link: []byte("sixty-eight")})
	w.Flush()
	var rec struct {
		TS      uint64
		IfIndex uint16
		Link    uint16 // padding there
		CapLen  uint32
		WLen    uint32
		Data    [11]byte
	}
	if err := binary.Read(bytes.NewReader(r.maps.data[headSize:]), binary.NativeEndian, &rec); err != nil {
		t.Fatal(err)
	}
	if rec.TS != 0x40ee913774fa5b90 || rec.IfIndex != 0x1234 || rec.Link != 127 || rec.CapLen != 11 || rec.WLen != 1514 || string(rec.Data[:]) != "sixty-eight" {
		t.Errorf("record is %+v", rec)
	}
	if got := string(r.maps.data[:8]); got != "MAPIRNG1" {
		t.Errorf("file begins with %q", got)
	}
	for _, c := range []struct {
		what string
		off  int
		want uint64
	}{{"capacity", 8, MinCapacity}, {"position", 64, 32}, {"written", 72, 1}, {"full", 80, 0}, {"tooLarge", 88, 0}, {"state", 128, 0}} {
		if got := word(r.maps.data, c.off); got != c.want {
			t.Errorf("%s is %d, want %d", c.what, got, c.want)
		}
	}
	if p, _, _ := r.TryNext(); string(p.Data) != "sixty-eight" || cap(p.Data) != 11 {
		t.Errorf("data is %q with a capacity of %d", p.Data, cap(p.Data))
	}
	mustBeEmpty(t, r, nil)
	if got := word(r.maps.page, 0); got != 32 {
		t.Errorf("read position is %d, want 32", got)
	}
}

func TestRecordSizes(t *testing.T) {
	for n, want := range map[uint64]uint64{0: 24, 4: 24, 5: 32, 12: 32, 44: 64, 64: 88, 1460: 1480} {
		if got := recordSize(n); got != want {
			t.Errorf("%d bytes take %d, want %d", n, got, want)
		}
	}
}

func TestCapacities(t *testing.T) {
	for size, want := range map[int]int{0: MinCapacity, 1: MinCapacity, MinCapacity: MinCapacity, MinCapacity + 1: 2 * MinCapacity, 1 << 20: 1 << 20, 76_700: 128 << 10} {
		w := packets(t, size)
		if got := w.Capacity(); got != want {
			t.Errorf("New(%d) has %d bytes, want %d", size, got, want)
		}
		w.Close()
	}
	for _, size := range []int{-1, MaxCapacity + 1} {
		if _, err := New(size); err == nil {
			t.Errorf("New(%d) was granted", size)
		}
	}
}
