package acceptance

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// lastHashes returns the hashes, by layer, of the last packet of a file that
// matches a filter.
func lastHashes(t *testing.T, c *mapi.Client, path, filter string, flags int) (hashes [4]uint32) {
	t.Helper()
	var calls []call
	if filter != "" {
		calls = append(calls, call{"BPF_FILTER", []any{filter}})
	}
	for layer := range hashes {
		calls = append(calls, call{"HASH", []any{layer + flags}})
	}
	functions := ranOver(t, c, path, calls...)
	for layer := range hashes {
		h, ok := result.ParseHash(bytesOf(t, functions[len(functions)-4+layer]))
		if !ok {
			t.Fatal("result is too short")
		}
		hashes[layer] = uint32(h)
	}
	if err := functions[0].Flow().Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return hashes
}

// TestHashGoldens has numbers that follow from the original's rules. Each
// packet is the last one of a file.
func TestHashGoldens(t *testing.T) {
	client := start(t).client()
	for _, c := range []struct {
		file  string
		index int
		want  []uint32 // by layer
	}{
		{"mapi-tracefile.pcap", 0, []uint32{3140, 1758}},
		{"mapi-tracefile.pcap", 92, []uint32{4439, 3590}},
		{"mapi-www.pcap", 0, []uint32{4088, 3239, 1689, 0}},
		{"mapi-www.pcap", 1, []uint32{4752, 3496, 1944, 0}},
		{"mapi-www.pcap", 2, []uint32{4343, 3494, 1944, 0}},
		{"mapi-www.pcap", 3, []uint32{8643, 7794, 6244, 4024}},
		{"mapi-www.pcap", 7, []uint32{7602, 6346, 4541, 2580}},
	} {
		got := lastHashes(t, client, firstPackets(t, c.file, c.index+1), "", 0)
		if fmt.Sprint(got[:len(c.want)]) != fmt.Sprint(c.want) {
			t.Errorf("%s, packet %d: hashes %d, want %d", c.file, c.index, got, c.want)
		}
	}
	trace := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	if got := lastHashes(t, client, trace, "tcp", 0); got[0] != 4025 || got[1] != 3176 {
		t.Errorf("last packet of tcp: %d, want 4025, 3176", got[:2])
	}
}

// TestHashAgainstTshark hashes the payload of a packet according to tshark.
func TestHashAgainstTshark(t *testing.T) {
	client := start(t).client()
	compared, hashed := 0, 0
	for _, c := range []struct {
		file, display, field string
		flags                int
	}{
		{"nd-skype.pcap", "ip && tcp && !icmp", "tcp.payload", 0},
		{"nd-skype.pcap", "ip && udp && !icmp", "udp.payload", 0},
		{"nd-ftp.pcap", "ip && tcp", "tcp.payload", 0},
		{"ar-dns-tcp.pcap", "ip && tcp", "tcp.payload", 0},
		{"mapi-anon-http.pcap", "ip && tcp", "tcp.payload", 0},
		{"nd-bittorrent.pcap", "ip && tcp", "tcp.payload", 0},
		{"nd-ftp.pcap", "tcp", "tcp.payload", mapi.AnyHeaders},
		{"nd-http-ipv6.pcap", "ipv6 && tcp", "tcp.payload", mapi.AnyHeaders},
		{"lt-vlan.pcap", "vlan && udp && !icmp", "udp.payload", mapi.AnyHeaders},
		{"zk-pppoe.pcap", "pppoes && udp && !icmp && !icmpv6", "udp.payload", mapi.AnyHeaders},
		{"nd-quickplay-sll.pcap", "sll && tcp", "tcp.payload", mapi.AnyHeaders},
		{"sv-sll2.pcap", "tcp", "tcp.payload", mapi.AnyHeaders},
		{"nd-psiphon3-raw.pcap", "ip && tcp", "tcp.payload", mapi.AnyHeaders},
	} {
		rows := tsharkFields(t, filepath.Join(testdata.Dir(t), c.file), c.display, "frame.number", c.field)
		if len(rows) == 0 {
			t.Errorf("%s: tshark finds no %s", c.file, c.display)
		}
		for i := 0; i < len(rows); i += 1 + len(rows)/8 {
			payload, err := hex.DecodeString(rows[i][1])
			if err != nil {
				t.Fatal(err)
			}
			sum := len(payload)
			for _, b := range payload {
				sum += int(b)
			}
			path := firstPackets(t, c.file, int(number(t, rows[i][0])))
			if got := lastHashes(t, client, path, "", c.flags); got[3] != uint32(sum%500009) {
				t.Errorf("%s, packet %s: hash %d, want %d of %d bytes", c.file, rows[i][0], got[3], sum%500009, len(payload))
			}
			compared++
			hashed += len(payload)
		}
	}
	t.Logf("%d packets with %d bytes of payload compared", compared, hashed)
	if compared < 60 || hashed < 5000 {
		t.Errorf("only %d packets with %d bytes were compared", compared, hashed)
	}
}
