package ring

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
)

// TestCapturesComeThroughWhole sends real captures, read by libpcap, through a small
// ring. It compares the output byte by byte with a second read by libpcap, and the sums
// with those of capinfos.
func TestCapturesComeThroughWhole(t *testing.T) {
	want := map[string]map[string]uint64{}
	for _, row := range testdata.Expected(t) {
		if row.Kind == "file" && row.Key == "status" && row.Value == "ok" && strings.HasSuffix(row.File, ".pcap") {
			want[row.File] = map[string]uint64{}
		}
		if row.Kind != "total" || want[row.File] == nil {
			continue
		}
		if n, err := strconv.ParseUint(row.Value, 10, 64); err == nil {
			want[row.File][row.Key] = n
		}
	}
	packets := uint64(0)
	for name, totals := range want {
		packets += sendThrough(t, filepath.Join(testdata.Dir(t), name), totals)
	}
	if packets < 60_000 {
		t.Errorf("only %d packets compared", packets)
	}
}

// sendThrough sends one capture through a ring and returns its number of packets.
func sendThrough(t *testing.T, path string, totals map[string]uint64) (packets uint64) {
	w, r := pair(t, 512<<10)
	var writer sync.WaitGroup
	defer writer.Wait()
	writer.Go(func() {
		defer w.End()
		eachOf(t, path, func(p *pkt.Packet) bool { return w.WriteWait(p) })
	})
	var wire, captured uint64
	ctx := bounded(t)
	eachOf(t, path, func(want *pkt.Packet) bool {
		p, err := r.Next(ctx)
		if err != nil {
			t.Errorf("%s: packet %d: %v", path, packets, err)
			return false
		}
		if p.TS != want.TS || p.Wlen != want.Wire || !bytes.Equal(p.Data, want.Link) {
			t.Errorf("%s: packet %d differs", path, packets)
		}
		packets++
		wire += uint64(p.Wlen)
		captured += uint64(len(p.Data))
		return true
	})
	if _, err := r.Next(ctx); err != io.EOF {
		t.Errorf("%s: at the end %v", path, err)
	}
	if packets != totals["packets"] || wire != totals["wire_bytes"] || captured != totals["cap_bytes"] {
		t.Errorf("%s: %d packets, %d bytes, %d captured; want %v", path, packets, wire, captured, totals)
	}
	return packets
}

// eachOf calls f with each packet of a file, as read by libpcap.
func eachOf(t *testing.T, path string, f func(*pkt.Packet) bool) {
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer h.Close()
	for {
		link, info, err := h.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		if !f(&pkt.Packet{TS: pkt.FromTime(info.Timestamp), Wire: uint32(info.Length), Link: link}) {
			return
		}
	}
}
