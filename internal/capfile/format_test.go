package capfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/pkt"
)

// TestLinkTypesAsLibpcap reads headers with libpcap, which must return the DLT
// that was written. Its Go binding knows DLTs of eight bits.
func TestLinkTypesAsLibpcap(t *testing.T) {
	for _, dlt := range []uint16{0, 1, 6, 8, 9, 10, 11, 12, 15, 16, 19, 50, 51, 104, 105, 107, 108, 113, 117, 119, 127, 147, 192, 228, 229} {
		path := filepath.Join(t.TempDir(), "head.pcap")
		if err := os.WriteFile(path, head(dlt), 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := pcap.OpenOffline(path)
		if err != nil {
			t.Errorf("DLT %d: %v", dlt, err)
			continue
		}
		if got := uint16(h.LinkType()); got != dlt || h.SnapLen() != maxSnap {
			t.Errorf("DLT %d is read as %d with snapshot length %d", dlt, got, h.SnapLen())
		}
		h.Close()
	}
}

// TestMicrosGoBackExactly converts every microsecond to a timestamp and back,
// with our fraction and with the original's.
func TestMicrosGoBackExactly(t *testing.T) {
	for u := range uint64(1000000) {
		original := 7<<32 | (u<<12 + u<<8 - u*1825>>5)
		for _, ts := range []uint64{pkt.TS(7, u*1000), original} {
			if sec, usec := micros(ts); sec != 7 || usec != uint32(u) {
				t.Fatalf("7 s and %d us become %d s, %d us", u, sec, usec)
			}
		}
	}
}

func TestMicrosAreRounded(t *testing.T) {
	for _, c := range []struct {
		ts        uint64
		sec, usec uint32
	}{
		{0, 0, 0},
		{pkt.TS(5, 1499), 5, 1},
		{pkt.TS(5, 1501), 5, 2},
		{pkt.TS(5, 999999499), 5, 999999},
		{pkt.TS(5, 999999999), 6, 0},
		{0x40ee913774fa5b90, 1089376567, 456945}, // first packet of the original's trace
		{^uint64(0), 1<<32 - 1, 999999},
	} {
		if sec, usec := micros(c.ts); sec != c.sec || usec != c.usec {
			t.Errorf("%#x is %d s, %d us, want %d, %d", c.ts, sec, usec, c.sec, c.usec)
		}
	}
}
