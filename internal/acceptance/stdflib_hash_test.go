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

// lastHashes returns the hashes of the last packet of a file that a filter lets
// through, by layer.
func lastHashes(t *testing.T, c *mapi.Client, path, filter string) (hashes [4]uint32) {
	t.Helper()
	var calls []call
	if filter != "" {
		calls = append(calls, call{"BPF_FILTER", []any{filter}})
	}
	for layer := range hashes {
		calls = append(calls, call{"HASH", []any{layer}})
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

// TestHashGoldens has numbers that follow from the original's rules; each packet
// is the last one of a file.
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
		got := lastHashes(t, client, firstPackets(t, c.file, c.index+1), "")
		if fmt.Sprint(got[:len(c.want)]) != fmt.Sprint(c.want) {
			t.Errorf("%s, packet %d: hashes %d, want %d", c.file, c.index, got, c.want)
		}
	}
	trace := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	if got := lastHashes(t, client, trace, "tcp"); got[0] != 4025 || got[1] != 3176 {
		t.Errorf("last packet of tcp: %d, want 4025, 3176", got[:2])
	}
}

// TestHashAgainstTshark hashes what tshark takes for the payload of a packet.
func TestHashAgainstTshark(t *testing.T) {
	client := start(t).client()
	compared, hashed := 0, 0
	for _, c := range []struct{ file, filter, display, field string }{
		{"nd-skype.pcap", "tcp", "tcp && !icmp", "tcp.payload"},
		{"nd-skype.pcap", "udp", "udp && !icmp", "udp.payload"},
		{"nd-ftp.pcap", "tcp", "tcp", "tcp.payload"},
		{"ar-dns-tcp.pcap", "tcp", "tcp", "tcp.payload"},
		{"mapi-anon-http.pcap", "tcp", "tcp", "tcp.payload"},
		{"nd-bittorrent.pcap", "tcp", "tcp", "tcp.payload"},
	} {
		rows := tsharkFields(t, filepath.Join(testdata.Dir(t), c.file), "ip && "+c.display, "frame.number", c.field)
		if len(rows) < 5 {
			t.Errorf("%s: tshark finds only %d packets of %s", c.file, len(rows), c.filter)
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
			if got := lastHashes(t, client, path, c.filter); got[3] != uint32(sum%500009) {
				t.Errorf("%s, packet %s: hash %d, want %d of %d bytes", c.file, rows[i][0], got[3], sum%500009, len(payload))
			}
			compared++
			hashed += len(payload)
		}
	}
	t.Logf("%d packets with %d bytes of payload compared", compared, hashed)
	if compared < 30 || hashed < 5000 {
		t.Errorf("only %d packets with %d bytes were compared", compared, hashed)
	}
}
