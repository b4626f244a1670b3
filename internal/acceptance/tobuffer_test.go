package acceptance

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/testdata"
	"gomapi/mapi"
)

// TestTakenCaptures takes the packets of every capture, several per call, and
// compares them with those that libpcap reads.
func TestTakenCaptures(t *testing.T) {
	dir := testdata.Dir(t)
	client := start(t).client()
	compared := 0
	for _, c := range captures(t) {
		if c.status != "ok" || len(c.filters) == 0 || strings.HasSuffix(c.name, ".gz") {
			continue // libpcap cannot read it
		}
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			h, err := pcap.OpenOffline(path)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if packets := takeAll(t, client, path, h); packets != c.packets {
				t.Errorf("%d packets, want %d", packets, c.packets)
			}
			compared++
		})
	}
	if compared < 50 {
		t.Errorf("only %d captures were compared", compared)
	}
	t.Logf("%d captures compared", compared)
}

// takeAll takes a file's packets and compares each with the next one of h.
func takeAll(t *testing.T, client *mapi.Client, path string, h *pcap.Handle) (packets uint64) {
	f, err := client.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(t.Context(), "TO_BUFFER")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	dst := make([]mapi.Packet, 50)
	for {
		n, err := fn.NextBatch(t.Context(), dst)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range dst[:n] {
			sameAsNext(t, h, &dst[i])
		}
		packets += uint64(n)
	}
	if lost, err := fn.Lost(); lost != 0 || err != nil {
		t.Errorf("%d packets lost, %v", lost, err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return packets
}

// sameAsNext compares a packet with the next one of h. gopacket keeps eight
// bits of a link type.
func sameAsNext(t *testing.T, h *pcap.Handle, p *mapi.Packet) {
	t.Helper()
	want, info, err := h.ZeroCopyReadPacketData()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.Data, want) || int(p.Wlen) != info.Length || uint8(p.LinkType) != uint8(h.LinkType()) ||
		!p.Time().Equal(info.Timestamp) {
		t.Fatalf("got %d bytes of %d at %v, libpcap reads %d of %d at %v (or other bytes)",
			len(p.Data), p.Wlen, p.Time(), len(want), info.Length, info.Timestamp)
	}
}

// TestTutorialLoop checks what the original's tests assert about the packets of
// their trace, with the original's calls.
func TestTutorialLoop(t *testing.T) {
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	t.Setenv("MAPI_SOCKET", start(t).socket)
	fd, err := mapi.CreateOfflineFlow(path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	fid, err := mapi.ApplyFunction(fd, "TO_BUFFER")
	if err != nil {
		t.Fatal(err)
	}
	if err := mapi.Connect(fd); err != nil {
		t.Fatal(err)
	}
	var sizes []int // on the wire
	var sum, squares, captured int
	var first, last mapi.Packet
	n, err := mapi.Loop(fd, fid, 893, func(p *mapi.Packet) {
		if len(sizes) == 0 {
			first = *p.Clone()
		}
		last = *p.Clone()
		size := int(p.Wlen)
		sizes, sum, squares, captured = append(sizes, size), sum+size, squares+size*size, captured+len(p.Data)
	})
	if n != 893 || err != nil || len(sizes) != 893 {
		t.Fatalf("loop over 893 packets: %d calls, %d, %v", len(sizes), n, err)
	}
	if sum != 283464 || squares != 309175572 || captured != 64834 || slices.Min(sizes) != 42 || slices.Max(sizes) != 1514 {
		t.Errorf("sum %d, of squares %d, captured %d, from %d to %d bytes", sum, squares, captured, slices.Min(sizes), slices.Max(sizes))
	}
	if len(first.Data) != 60 || first.Time().UnixMicro() != 1089376567_456945 || last.Time().UnixMicro() != 1089376686_110640 {
		t.Errorf("the first packet has %d bytes, times from %v to %v", len(first.Data), first.Time(), last.Time())
	}
	if _, err := mapi.GetNextPkt(fd, fid); err != io.EOF {
		t.Errorf("after the last packet: %v", err)
	}
	if err := mapi.CloseFlow(fd); err != nil {
		t.Error(err)
	}
}
