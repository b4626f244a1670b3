package acceptance

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// Fields of PKTINFO.
const (
	tellTime = 0
	tellSize = 1
)

// A table is a flow with the functions that RES2FILE writes.
type table struct {
	t                    *testing.T
	flow                 *mapi.Flow
	packets, size, times *mapi.Function
}

// newTable creates a flow that counts packets and has the fields of each.
func newTable(t *testing.T, f *mapi.Flow, err error) *table {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	tb := &table{t: t, flow: f}
	tb.packets = tb.apply("PKT_COUNTER")
	tb.size = tb.apply("PKTINFO", tellSize)
	tb.times = tb.apply("PKTINFO", tellTime)
	return tb
}

func tableOf(t *testing.T, c *mapi.Client, capture string) *table {
	t.Helper()
	f, err := c.CreateOfflineFlow(t.Context(), filepath.Join(testdata.Dir(t), capture), mapi.FormatPCAP)
	return newTable(t, f, err)
}

func (tb *table) apply(name string, args ...any) *mapi.Function {
	tb.t.Helper()
	fn, err := tb.flow.Apply(tb.t.Context(), name, args...)
	if err != nil {
		tb.t.Fatal(err)
	}
	return fn
}

func (tb *table) connect() {
	tb.t.Helper()
	if err := tb.flow.Connect(tb.t.Context()); err != nil {
		tb.t.Fatal(err)
	}
}

// run runs the flow to the end of its capture and closes it.
func (tb *table) run() {
	tb.t.Helper()
	tb.connect()
	if err := tb.flow.Wait(tb.t.Context()); err != nil {
		tb.t.Fatal(err)
	}
	if err := tb.flow.Close(tb.t.Context()); err != nil {
		tb.t.Fatal(err)
	}
}

// lines reads the rows of a file after the header.
func lines(t *testing.T, path, header string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if rows[0] != header {
		t.Errorf("header %q, want %q", rows[0], header)
	}
	return rows[1:]
}

// The golden file of the original, in the order of the port: it excludes a
// packet that ends a period. endings are the indexes of these packets.
var (
	goldenCounts  = []uint64{26, 18, 9, 11, 10, 9, 14, 42, 10, 9, 9, 11, 31, 13, 13, 9, 8, 10, 118, 92, 181, 164, 56}
	goldenSizes   = []uint64{60, 62, 60, 60, 60, 62, 60, 62, 74, 74, 74, 74, 74, 74, 60, 62, 60, 298, 54, 62, 74, 74, 62}
	goldenEndings = []int{26, 44, 53, 64, 74, 83, 97, 139, 149, 158, 167, 178, 209, 222, 235, 244, 252, 262, 380, 472, 653, 817, 873}
)

func TestRes2FileGolden(t *testing.T) {
	tb := tableOf(t, start(t).client(), "mapi-tracefile.pcap")
	out := filepath.Join(t.TempDir(), "out")
	tb.apply("RES2FILE", "1,1,2", []*mapi.Function{tb.packets, tb.size, tb.times}, "TEST", out, "5s", 1)
	tb.run()
	all := packetsOf(t, filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap"))
	rows := lines(t, out, "TEST")
	if len(rows) != len(goldenCounts) {
		t.Fatalf("%d rows, want %d", len(rows), len(goldenCounts))
	}
	for i, row := range rows {
		var packets, size uint64
		var seconds string
		if _, err := fmt.Sscanf(row, "%d %d %s \n", &packets, &size, &seconds); err != nil || !strings.HasSuffix(row, " ") {
			t.Fatalf("row %q: %v", row, err)
		}
		if packets != goldenCounts[i] || size != goldenSizes[i] {
			t.Errorf("row %d is %q, want %d %d", i, row, goldenCounts[i], goldenSizes[i])
		}
		before := all[goldenEndings[i]-1]
		got, ok := new(big.Rat).SetString(seconds)
		if !ok || len(seconds) != len("1089376572.304823000217") {
			t.Fatalf("row %q", row)
		}
		got.Sub(got, big.NewRat(before.Timestamp.UnixMicro(), 1e6)).Abs(got)
		if got.Cmp(big.NewRat(1, 1e9)) > 0 { // a tick is a quarter of it; the golden file has a resolution of 10 us
			t.Errorf("row %d: %s s, libpcap reads %v", i, seconds, before.Timestamp)
		}
	}
	if rows[0] != "26 60 1089376572.304823000217 " {
		t.Errorf("first row is %q", rows[0])
	}
}

// TestRes2FilePeriods has the counts of other periods.
func TestRes2FilePeriods(t *testing.T) {
	client := start(t).client()
	for _, c := range []struct {
		capture, interval, want string
		periods                 int
	}{
		{"mapi-tracefile.pcap", "10s", "44 20 19 56 19 20 44 22 18 210 345", 11},
		{"mapi-tracefile.pcap", "0.5m", "83 95 84", 3},
		{"mapi-tracefile.pcap", "1s", "7 5 2 7 5 3 5 4 4 2", 118},
		{"mapi-www.pcap", "1000ms", "7 0 0 0 0 0 0", 7},
	} {
		tb := tableOf(t, client, c.capture)
		out := filepath.Join(t.TempDir(), "out")
		tb.apply("RES2FILE", "1", []*mapi.Function{tb.packets}, "", out, c.interval, 1)
		tb.run()
		rows := lines(t, out, "")
		zeros := 0
		for _, r := range rows {
			if r == "0 " {
				zeros++
			}
		}
		if got := strings.Join(rows, ""); len(rows) != c.periods || !strings.HasPrefix(got, c.want+" ") {
			t.Errorf("%s every %s: %d rows %q, want %d %q", c.capture, c.interval, len(rows), got, c.periods, c.want)
		}
		if c.interval == "1s" && zeros != 12 {
			t.Errorf("%d rows of zeros, want 12", zeros)
		}
	}
}

// TestRes2FilePerPacketAndAtClose writes functions of its own flow and of
// another flow.
func TestRes2FilePerPacketAndAtClose(t *testing.T) {
	ctx := t.Context()
	client := start(t).client()
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	d, err := client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	f, err := client.CreateFlow(ctx, d.Name())
	tb := newTable(t, f, err)
	g, err := client.CreateFlow(ctx, d.Name())
	beside := newTable(t, g, err)
	stats := tb.apply("STATS", tb.size, "0")
	each, once := filepath.Join(t.TempDir(), "each"), filepath.Join(t.TempDir(), "once")
	tb.apply("RES2FILE", "1,1,1,0", []*mapi.Function{tb.packets, tb.size, beside.packets, tb.packets}, "a b", each, "0", 1)
	tb.apply("RES2FILE", "1,3,1", []*mapi.Function{tb.packets, stats, beside.packets}, "c", once, "-1", 1)
	for _, step := range []func() error{
		func() error { return f.Connect(ctx) }, func() error { return g.Connect(ctx) },
		func() error { return d.Start(ctx) }, func() error { return d.Wait(ctx) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(once); err != nil || len(b) > len("c\n") {
		t.Errorf("%q before the flow is closed, %v", b, err)
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	want := "893 893  283464.000000 309175572.000000 42.000000 1514.000000 893 "
	if rows := lines(t, once, "c"); len(rows) != 1 || rows[0] != want {
		t.Errorf("rows %q, want %q", rows, want)
	}
	var file []byte
	for i, p := range packetsOf(t, path) {
		// The other flow was created later, and sees each packet later.
		file = fmt.Appendf(file, "%d %d %d ", i+1, p.Length, i)
		file = binary.NativeEndian.AppendUint64(file, 8)
		file = append(binary.NativeEndian.AppendUint64(file, uint64(i+1)), '\n')
	}
	if got, err := os.ReadFile(each); err != nil || string(got) != "a b\n"+string(file) {
		t.Errorf("%d bytes of rows, %v, want %d", len(got), err, len(file)+4)
	}
}

// TestRes2FileWithoutItsFunctions checks that no row is written after one of
// its flows is closed.
func TestRes2FileWithoutItsFunctions(t *testing.T) {
	client := start(t).client()
	tb, other := tableOf(t, client, "mapi-www.pcap"), tableOf(t, client, "mapi-www.pcap")
	out := filepath.Join(t.TempDir(), "out")
	tb.apply("RES2FILE", "1,1", []*mapi.Function{tb.packets, other.packets}, "H", out, "-1", 0)
	other.run()
	tb.run()
	if rows := lines(t, out, "H"); len(rows) != 0 {
		t.Errorf("rows %q", rows)
	}
}

func TestRes2FileErrors(t *testing.T) {
	tb := tableOf(t, start(t).client(), "mapi-tracefile.pcap")
	refs := []*mapi.Function{tb.packets}
	out := filepath.Join(t.TempDir(), "out")
	for _, c := range []struct {
		what string
		args []any
		want mapi.Code
	}{
		{"type", []any{"4", refs, "H", out, "5s", 1}, mapi.ErrInvalidArgument1},
		{"last type", []any{"1,4", []*mapi.Function{tb.packets, tb.size}, "H", out, "5s", 1}, mapi.ErrInvalidArgument1},
		{"fewer types", []any{"1", []*mapi.Function{tb.packets, tb.size}, "H", out, "5s", 1}, mapi.ErrInvalidArgument1},
		{"function", []any{"1", "99@1", "H", out, "5s", 1}, mapi.ErrInvalidArgument2},
		{"header", []any{"1", refs, 5, out, "5s", 1}, mapi.ErrInvalidArgument3},
		{"number for a file", []any{"1", refs, "H", 5, "5s", 1}, mapi.ErrInvalidArgument4},
		{"no path", []any{"1", refs, "H", nil, "5s", 1}, mapi.ErrFile},
		{"folder that is not there", []any{"1", refs, "H", filepath.Join(out, "none"), "5s", 1}, mapi.ErrFile},
		{"interval", []any{"1", refs, "H", out, "0s", 1}, mapi.ErrInvalidArgument5},
		{"reset", []any{"1", refs, "H", out, "5s", 2}, mapi.ErrInvalidArgument6},
	} {
		_, err := tb.flow.Apply(t.Context(), "RES2FILE", c.args...)
		wantCode(t, c.what, err, c.want)
	}
}

// TestRes2FileThatFails checks that a failing file stops no packet, and that
// Close ends even without a reader.
func TestRes2FileThatFails(t *testing.T) {
	client := start(t).client()
	tb := tableOf(t, client, "mapi-tracefile.pcap")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	long := strings.Repeat("h", 60000)
	tb.apply("RES2FILE", "1", []*mapi.Function{tb.packets}, "H", "/dev/full", "0", 0)
	tb.apply("RES2FILE", "1,1,1", []*mapi.Function{tb.packets, tb.packets, tb.packets}, long, w, "0", 0)
	after := tb.apply("PKT_COUNTER")
	tb.connect()
	if err := tb.flow.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := after.Uint64(); n != 893 || err != nil {
		t.Errorf("%d packets passed, %v, want 893", n, err)
	}
	closes(t, tb.flow)
}

// TestLiveRes2File writes a row for each frame sent over a veth pair. All
// frames and rows are accounted for.
//
//	test ── a ═══ b ── mapid ── file
func TestLiveRes2File(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ctx := t.Context()
		c := start(t).client()
		f, err := c.CreateFlow(ctx, testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Apply(ctx, "BPF_FILTER", "udp"); err != nil {
			t.Fatal(err)
		}
		tb := newTable(t, f, nil)
		out := filepath.Join(t.TempDir(), "out")
		fn := tb.apply("RES2FILE", "1,1", []*mapi.Function{tb.packets, tb.size}, "live", out, "0", 0)
		behind := tb.apply("PKT_COUNTER")
		tb.connect()
		sender := ns.Sender(testnet.A)
		const frames = 1000
		for i := range frames {
			if err := sender.Send(testnet.UDP(uint64(i), 100+i)); err != nil {
				t.Fatal(err)
			}
		}
		reaches(t, "packets behind the rows", behind, frames)
		wantRowBooks(t, c, fn, frames)
		if err := f.Close(ctx); err != nil {
			t.Fatal(err)
		}
		rows := lines(t, out, "live")
		if len(rows) != frames {
			t.Fatalf("%d rows, want %d", len(rows), frames)
		}
		for i, row := range rows {
			if want := fmt.Sprintf("%d %d ", i+1, len(testnet.UDP(uint64(i), 100+i))); row != want {
				t.Fatalf("row %q, want %q", row, want)
			}
		}
	})
}

// wantRowBooks checks that the function's books have n passed packets and n
// rows.
func wantRowBooks(t *testing.T, c *mapi.Client, fn *mapi.Function, n uint64) {
	t.Helper()
	list, err := c.FlowFunctions(t.Context(), fn.Flow().FD())
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range list {
		if info.FID != fn.FID() {
			continue
		}
		b := info.Books
		if b == nil || !b.Balances() || b.In != n || b.Lost() != 0 {
			t.Errorf("books %+v, want %d packets", b, n)
		}
		var rows uint64
		for _, l := range b.Notes {
			if strings.HasPrefix(l.Name, "rows") {
				rows += l.Value
			}
		}
		if rows != n {
			t.Errorf("books of %d rows, want %d: %+v", rows, n, b.Notes)
		}
		return
	}
	t.Errorf("flow has no function %d", fn.FID())
}
