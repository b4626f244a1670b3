package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// dump runs mapi dump and returns its output.
func dump(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(context.Background(), append([]string{"mapi", "dump"}, args...), &out, &errs); got != code {
		t.Fatalf("%q: exit code %d, want %d: %s", args, got, code, &errs)
	}
	return out.String(), errs.String()
}

// TestDumpWrites compares the files that tcpdump and the tool make of each capture.
func TestDumpWrites(t *testing.T) {
	compared := 0
	dir := testdata.Dir(t)
	for name, e := range expectations(t) {
		if strings.Contains(name, ".erf") || e.status == "refused" {
			continue
		}
		code := exitDone
		if e.status != "ok" {
			code = exitFailed
		}
		for _, filter := range []string{"", "udp or (vlan and tcp)"} {
			theirs, ours := filepath.Join(t.TempDir(), "theirs"), filepath.Join(t.TempDir(), "ours")
			if filter != "" && e.filters["tcp"] == 0 {
				continue // a link type without IP, or several link types
			}
			failed := exec.Command("tcpdump", "-r", filepath.Join(dir, name), "-w", theirs, filter).Run()
			want, err := os.ReadFile(theirs)
			if err != nil || failed != nil && len(want) <= pcapHead {
				continue // gzip, several link types
			}
			dump(t, code, "-r", filepath.Join(dir, name), "-w", ours, filter)
			got, err := os.ReadFile(ours)
			if err != nil {
				t.Fatal(err)
			}
			if !sameCapture(got, want) {
				t.Errorf("%s, %q: the files differ: %d and %d bytes", name, filter, len(got), len(want))
			}
			compared++
		}
	}
	t.Logf("%d files compared", compared)
	if compared < 90 {
		t.Errorf("%d files compared", compared)
	}
}

// Header sizes of a pcap file and of its records, in bytes (pcap-savefile(5)).
const (
	pcapHead   = 24
	pcapRecord = 16
)

// sameCapture compares pcap files in this machine's byte order. It ignores the
// snapshot length, the frame check sequence bits of the link type, and time
// differences of one microsecond: tcpdump truncates nanoseconds, the tool
// rounds them.
func sameCapture(a, b []byte) bool {
	if len(a) != len(b) || len(a) < pcapHead || !bytes.Equal(a[:16], b[:16]) || !bytes.Equal(a[20:22], b[20:22]) {
		return false
	}
	for a, b = a[pcapHead:], b[pcapHead:]; len(a) >= pcapRecord && len(b) >= pcapRecord; {
		size := pcapRecord + int(binary.NativeEndian.Uint32(a[8:]))
		if size > len(a) || micros(a)-micros(b) > 1 || !bytes.Equal(a[8:size], b[8:size]) {
			return false
		}
		a, b = a[size:], b[size:]
	}
	return len(a) == 0 && len(b) == 0
}

func micros(record []byte) uint64 {
	return uint64(binary.NativeEndian.Uint32(record))*1e6 + uint64(binary.NativeEndian.Uint32(record[4:]))
}

// TestDumpPrints compares whole lines, including their times.
func TestDumpPrints(t *testing.T) {
	for _, name := range []string{"zk-icmp-5-pings.pcap", "lt-100-ns.pcap", "nd-psiphon3-raw.pcap"} {
		file := filepath.Join(testdata.Dir(t), name)
		const filter = "icmp or tcp and not port (21 or 22 or 25 or 80)"
		want, err := exec.Command("tcpdump", "-n", "-S", "-r", file, filter).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := dump(t, exitDone, "-r", file, filter); got != string(want) || got == "" {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestDumpLinkTypes writes a capture with several link types to a pcap file,
// which can hold only one.
func TestDumpLinkTypes(t *testing.T) {
	file := filepath.Join(testdata.Dir(t), "gp-be-mixed-links.pcapng")
	all, _ := dump(t, exitDone, "-r", file)
	out := filepath.Join(t.TempDir(), "out.pcap")
	_, said := dump(t, exitDone, "-r", file, "-w", out)
	left, _ := dump(t, exitDone, "-r", out)
	lines := strings.Count(all, "\n") - strings.Count(left, "\n")
	if lines == 0 || left == "" || said != "mapi: "+counted(lines, "packets")+" of other link types left out\n" {
		t.Errorf("%d lines are missing: %s", lines, said)
	}
}

// TestDumpAllocations formats packets as lines and as records of a file.
func TestDumpAllocations(t *testing.T) {
	p := &mapi.Packet{TS: 1 << 32, LinkType: 1, Wlen: frameSize, Data: testnet.TCP(1, frameSize)}
	for name, form := range map[string]func([]byte, *mapi.Packet) []byte{"lines": new(lineFlags).lines(true), "records": recordsOf(1)} {
		s := sink{append: form, pending: make([]byte, 0, 2*flushSize)}
		if n := testing.AllocsPerRun(1000, func() {
			if s.add(p, 100); len(s.pending) >= flushSize {
				s.pending = s.pending[:0]
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}

// TestSince covers devices that stay open, are reopened, or are not reported.
func TestSince(t *testing.T) {
	type counts = map[string]uint64
	for _, c := range []struct{ before, now, want counts }{
		{counts{arrived: 9, "lost: a": 2}, counts{arrived: 9, "lost: a": 5}, counts{arrived: 0, "lost: a": 3}},
		{counts{arrived: 9, "lost: a": 2}, counts{arrived: 9, "lost: a": 0}, nil},
		{counts{arrived: 9, "lost: a": 0}, counts{arrived: 8, "lost: a": 7}, nil},
		{nil, counts{arrived: 9, "lost: a": 5}, nil},
		{counts{arrived: 9}, nil, nil},
	} {
		if got, ok := since(c.before, c.now); !maps.Equal(got, c.want) || ok != (c.want != nil) {
			t.Errorf("from %v to %v: %v, %v, want %v", c.before, c.now, got, ok, c.want)
		}
	}
}

// fullDisk accepts this number of writes, then fails.
type fullDisk int

func (f *fullDisk) Write(b []byte) (int, error) {
	if *f--; *f < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}

// TestDumpCountsWritten checks the number of packets that were written.
func TestDumpCountsWritten(t *testing.T) {
	disk := fullDisk(1)
	s := sink{append: recordsOf(1), w: &disk}
	for i := range 5 {
		s.add(&mapi.Packet{LinkType: 1, Data: testnet.TCP(1, frameSize)}, frameSize)
		if err := s.flush(); (err == nil) != (i == 0) || s.written != 1 {
			t.Errorf("packet %d: %d are written, %v", i, s.written, err)
		}
	}
}
