package summary

import (
	"path/filepath"
	"testing"

	"gomapi/internal/testdata"
)

// TestAllocations formats all packets of the captures.
func TestAllocations(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(testdata.Dir(t), "[nzp][dkc]-*.pcap"))
	dst := make([]byte, 0, 64<<10)
	for _, file := range files {
		all, _ := frames(t, file)
		for _, o := range []Options{{}, {Link: true, Verbose: true}} {
			// The average of several runs: the runtime allocates something once in a while.
			if n := testing.AllocsPerRun(5, func() {
				for _, f := range all {
					dst = o.Append(dst[:0], f.data, f.dlt, f.wire)
				}
			}); n != 0 {
				t.Errorf("%s, %+v: %v allocations", file, o, n)
			}
		}
	}
}

// TestCutAnywhere truncates each packet at each length. The line stays
// printable and bounded, and nothing beyond the captured bytes is read.
func TestCutAnywhere(t *testing.T) {
	for _, name := range []string{"zk-icmp6-nd.pcap", "nd-6in4.pcap", "pc-ipv6-ext-headers.pcap", "zk-icmp-5-pings.pcap", "tr-fragroute.pcap"} {
		all, _ := frames(t, filepath.Join(testdata.Dir(t), name))
		for _, f := range all[:min(len(all), 50)] {
			for n := range min(len(f.data), 200) {
				check(t, append([]byte(nil), f.data[:n]...), f.dlt, f.wire)
			}
		}
	}
}

// maxLine is the maximum length of a line in bytes: a packet of 64 KiB that
// consists of fragment headers has almost sixteen characters for each eight
// bytes.
const maxLine = 128 << 10

func check(t *testing.T, link []byte, linkType uint16, wire uint32) {
	t.Helper()
	const before = "before "
	text := Append([]byte(before), link, linkType, wire)
	if string(text[:len(before)]) != before || len(text) == len(before) || len(text) > maxLine {
		t.Fatalf("link type %d: line of %d bytes: %.100q", linkType, len(text), text)
	}
	for _, c := range text {
		if c < ' ' || c > '~' {
			t.Fatalf("link type %d: %q", linkType, text)
		}
	}
	text = Options{Link: true, Verbose: true}.Append(nil, link, linkType, wire)
	if len(text) > maxLine {
		t.Fatalf("link type %d: line of %d bytes: %.100q", linkType, len(text), text)
	}
	for _, c := range text {
		if (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			t.Fatalf("link type %d: %q", linkType, text)
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, text := range []string{
		"aaaaaaaaaaaabbbbbbbbbbbb0800450000340000000040060000 0a0000010a000002 0001000200000003000000048012000500000000 0101080a0000000100000002",
		"aaaaaaaaaaaabbbbbbbbbbbb86dd60000000001c00ff fe800000000000000000000000000001ff020000000000000000000000000002 2c00010400000000 3a00000000000001 8000000000010001 01020304",
		"aaaaaaaaaaaabbbbbbbbbbbb08060001080006040001aaaaaaaaaaaa0a000001000000000000 0a000002",
		"aaaaaaaaaaaabbbbbbbbbbbb884700010140 45000014000000000004 0000 0a0000010a000002 45000014",
	} {
		f.Add(unhex(f, text), uint16(1), uint32(100))
	}
	f.Fuzz(func(t *testing.T, link []byte, linkType uint16, wire uint32) {
		if len(link) > 1<<16 {
			return
		}
		check(t, link, linkType, wire)
	})
}

// BenchmarkAppend formats a TCP packet with timestamps.
func BenchmarkAppend(b *testing.B) {
	link := unhex(b, "aaaaaaaaaaaabbbbbbbbbbbb0800450000340000000040060000 0a0000010a000002 "+
		"000100020000000300000004801000050000 0000 0101080a0000000100000002")
	dst := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], link, 1, uint32(len(link)))
	}
}
