package acceptance

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
)

// earlier is an argument that refers to a function of the same flow, by index.
type earlier int

// ranOver reads a capture file through one flow and returns its functions at
// the end of the file.
func ranOver(t *testing.T, c *mapi.Client, path string, calls ...call) []*mapi.Function {
	t.Helper()
	ctx := t.Context()
	f, err := c.CreateOfflineFlow(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close(ctx) })
	var functions []*mapi.Function
	for _, call := range calls {
		args := make([]any, len(call.args))
		for i, a := range call.args {
			if n, ok := a.(earlier); ok {
				a = functions[n]
			}
			args[i] = a
		}
		fn, err := f.Apply(ctx, call.name, args...)
		if err != nil {
			t.Fatal(err)
		}
		functions = append(functions, fn)
	}
	if err := f.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return functions
}

// bytesOf reads a result.
func bytesOf(t *testing.T, fn *mapi.Function) []byte {
	t.Helper()
	r, err := fn.Read()
	if err != nil {
		t.Fatal(err)
	}
	return r.Res
}

// firstPackets writes the first n packets of a capture to a file, with tcpdump.
func firstPackets(t *testing.T, name string, n int) string {
	t.Helper()
	needs(t, "tcpdump")
	out := filepath.Join(t.TempDir(), "first.pcap")
	if err := tcpdump("-r", filepath.Join(testdata.Dir(t), name), "-c", strconv.Itoa(n), "-w", out); err != nil {
		t.Fatal(err)
	}
	return out
}

// tsharkFields returns tshark's fields of the packets that match a display
// filter: for each packet the first value of each field. tshark does not
// reassemble packets.
func tsharkFields(t *testing.T, path, filter string, fields ...string) (rows [][]string) {
	t.Helper()
	needs(t, "tshark")
	args := []string{"-n", "-r", path, "-Y", filter, "-T", "fields", "-E", "occurrence=f",
		"-o", "ip.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.relative_sequence_numbers:FALSE"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	for line := range strings.Lines(output(t, "tshark", args...)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

// timeStamp parses frame.time_epoch, which has nanoseconds.
func timeStamp(t *testing.T, field string) uint64 {
	t.Helper()
	sec, fraction, _ := strings.Cut(field, ".")
	ns, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil || len(fraction) != 9 {
		t.Fatalf("%q is no time", field)
	}
	return number(t, sec)<<32 | (ns<<32+1e9-1)/1e9 // rounded up
}

// number parses a field of tshark.
func number(t *testing.T, field string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(field, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
