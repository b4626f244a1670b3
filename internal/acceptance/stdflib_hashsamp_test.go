package acceptance

import (
	"net/netip"
	"path/filepath"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

func hashSamp(limit, keep int) call { return call{"HASHSAMP", []any{limit, keep}} }

// TestHashSampGoldens counts the packets that pass. The packets of
// mapi-www.pcap have the hashes 778 772 778 778 211 772 293 772 778 772.
func TestHashSampGoldens(t *testing.T) {
	client := start(t).client()
	for name, want := range map[string]map[int]uint64{
		"mapi-tracefile.pcap": {1: 0, 102: 126, 128: 141, 256: 273, 512: 372, 768: 558, 1024: 706},
		"mapi-www.pcap":       {211: 0, 212: 1, 293: 1, 294: 2, 772: 2, 773: 6, 778: 6, 779: 10, 1024: 10},
	} {
		var calls []call
		var counts []uint64
		for limit, n := range want {
			calls, counts = append(calls, hashSamp(limit, 0), hashSamp(limit, 1)), append(counts, n, n)
		}
		for i, got := range countBehind(t, client, filepath.Join(testdata.Dir(t), name), calls...) {
			if got != counts[i] {
				t.Errorf("%s: %v passes %d packets, want %d", name, calls[i], got, counts[i])
			}
		}
	}
}

// samples reads all samples of a capture.
func samples(t *testing.T, c *mapi.Client, path string) (all []result.HashSample) {
	t.Helper()
	for r, err := range ranOver(t, c, path, hashSamp(1024, 1))[0].Results(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		s, ok := result.ParseHashSample(r.Res)
		if !ok {
			t.Fatalf("a sample of %d bytes", len(r.Res))
		}
		all = append(all, s)
	}
	return all
}

// tsharkSample builds a sample from the output of tshark.
func tsharkSample(t *testing.T, row []string) result.HashSample {
	t.Helper()
	s := result.HashSample{
		TS: timeStamp(t, row[0]), Proto: uint8(number(t, row[3])),
		Src: netip.MustParseAddr(row[1]).As4(), Dst: netip.MustParseAddr(row[2]).As4(),
	}
	if s.Proto == 17 {
		s.SrcPort, s.DstPort = uint16(number(t, row[8])), uint16(number(t, row[9]))
		return s
	}
	s.SrcPort, s.DstPort = uint16(number(t, row[4])), uint16(number(t, row[5]))
	s.Seq = uint32(number(t, row[6]))
	for i, bit := range []uint64{2, 16, 4, 1, 8} { // SYN ACK RST FIN PSH
		if number(t, row[7])&bit != 0 {
			s.Flags |= 1 << i
		}
	}
	return s
}

// TestSamplesAgainstTshark compares all fields of all samples.
func TestSamplesAgainstTshark(t *testing.T) {
	client := start(t).client()
	for _, name := range []string{"mapi-tracefile.pcap", "mapi-www.pcap", "nd-gnutella.pcap", "ar-dns-tcp.pcap", "nd-ssh.pcapng", "nd-smtp.pcap"} {
		path := filepath.Join(testdata.Dir(t), name)
		rows := tsharkFields(t, path, "eth.type == 0x800 && ip.frag_offset == 0 && (ip.proto == 6 || ip.proto == 17) && !icmp",
			"frame.time_epoch", "ip.src", "ip.dst", "ip.proto", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.flags", "udp.srcport", "udp.dstport")
		got := samples(t, client, path)
		if len(rows) == 0 || len(got) < min(len(rows), 1000) {
			t.Errorf("%s: %d samples, tshark finds %d packets", name, len(got), len(rows))
			continue
		}
		for i, row := range rows[len(rows)-len(got):] { // a late reader gets the newest
			if want := tsharkSample(t, row); got[i] != want {
				t.Errorf("%s: sample %d is %+v, tshark says %+v", name, i, got[i], want)
			}
		}
	}
}
