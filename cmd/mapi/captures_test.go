package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/testdata"
)

// expected is what tcpdump, tshark and capinfos report for a file.
type expected struct {
	status, format string
	packets, bytes uint64
	filters        map[string]uint64 // packets
}

func expectations(t *testing.T) map[string]*expected {
	files := make(map[string]*expected)
	for _, row := range testdata.Expected(t) {
		e := files[row.File]
		if e == nil {
			e = &expected{filters: make(map[string]uint64)}
			files[row.File] = e
		}
		n, numeric := strconv.ParseUint(row.Value, 10, 64)
		switch kind := row.Kind + " " + row.Key; {
		case kind == "file status":
			e.status = row.Value
		case kind == "file format":
			e.format = row.Value
		case kind == "total packets":
			e.packets = n
		case kind == "total wire_bytes":
			e.bytes = n
		case row.Kind == "filter-packets" && numeric == nil:
			e.filters[row.Key] = n
		}
	}
	return files
}

// TestCaptures counts all packets of each capture and compares with other
// tools.
func TestCaptures(t *testing.T) {
	dir := testdata.Dir(t)
	for name, e := range expectations(t) {
		if strings.Contains(e.format, "erf") || strings.Contains(name, ".erf") {
			continue // no driver of this build reads these
		}
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(context.Background(), []string{"mapi", "count", "--json", "-r", filepath.Join(dir, name)}, &out, &errs)
			if failed := code != exitDone; failed != (e.status != "ok") {
				t.Fatalf("exit code %d for a file that is %s: %s", code, e.status, &errs)
			}
			if failed := errs.Len() > 0; failed != (code != exitDone) {
				t.Errorf("exit code %d, output %q", code, &errs)
			}
			if e.status == "refused" {
				return
			}
			var sum total
			if err := json.Unmarshal(out.Bytes(), &sum); err != nil {
				t.Fatalf("%v: %q", err, &out)
			}
			if sum.Packets != e.packets || sum.Bytes != e.bytes {
				t.Errorf("%d packets, %d bytes; want %d, %d", sum.Packets, sum.Bytes, e.packets, e.bytes)
			}
		})
	}
}

// TestCaptureFilters counts with each filter for which the other tools have a
// count.
func TestCaptureFilters(t *testing.T) {
	const file = "zk-mixed-vlan-mpls.pcap"
	e := expectations(t)[file]
	if len(e.filters) == 0 {
		t.Fatalf("no filters for %s", file)
	}
	for expr, want := range e.filters {
		var out, errs bytes.Buffer
		args := append([]string{"mapi", "count", "--json", "-r", filepath.Join(testdata.Dir(t), file)}, strings.Fields(expr)...)
		if code := run(context.Background(), args, &out, &errs); code != exitDone {
			t.Errorf("%s: exit code %d: %s", expr, code, &errs)
			continue
		}
		var sum total
		if err := json.Unmarshal(out.Bytes(), &sum); err != nil || sum.Packets != want {
			t.Errorf("%s: %q, want %d packets", expr, &out, want)
		}
	}
}

// TestDeadlineOfFile reads a file for longer than the deadline allows.
func TestDeadlineOfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "endless.pcap.gz")
	if err := os.WriteFile(file, endless(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--json"}, nil} {
		var out, errs bytes.Buffer
		args = append([]string{"mapi", "count", "--deadline", deadline, "-r", file}, args...)
		if code := run(context.Background(), args, &out, &errs); code != exitInterrupted || errs.Len() > 0 {
			t.Fatalf("exit code %d, %s", code, &errs)
		}
		if !strings.Contains(out.String(), `,"partial":true}`) && !strings.HasSuffix(out.String(), " bytes, ended before the end of the file\n") {
			t.Errorf("%s", &out)
		}
	}
}

// endless returns a compressed capture of about 200 million small packets.
func endless(t *testing.T) []byte {
	t.Helper()
	head := make([]byte, 24) // pcap-savefile(5)
	copy(head, "\xd4\xc3\xb2\xa1\x02\x00\x04\x00")
	head[16], head[17], head[20] = 0xff, 0xff, 1
	record := make([]byte, 16+60)
	record[8], record[12] = 60, 60
	file := compressed(t, head)
	member := compressed(t, bytes.Repeat(record, 100_000))
	for range 2000 {
		file = append(file, member...)
	}
	return file
}

func compressed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
