package acceptance

import (
	"path/filepath"
	"slices"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// distOver returns the distribution of the values of a function over a file.
func distOver(t *testing.T, c *mapi.Client, path string, of call, bounds ...any) result.Dist {
	t.Helper()
	fns := ranOver(t, c, path, of, call{"DIST", append([]any{earlier(0)}, bounds...)})
	d, ok := result.ParseDist(bytesOf(t, fns[1]))
	if !ok {
		t.Fatal("result is too short")
	}
	return d
}

var (
	sizes = call{"PKTINFO", []any{mapi.PktSize}}
	gaps  = call{"GAP", nil}
)

func TestDistGoldens(t *testing.T) {
	client := start(t).client()
	trace := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	for _, c := range []struct {
		of     call
		bounds []any
		want   []uint64
	}{
		{sizes, []any{"0", "1600", "100"}, []uint64{608, 79, 12, 5, 1, 5, 45, 3, 0, 3, 1, 1, 22, 1, 101, 6, 0}},
		{sizes, []any{"42", "1542", "500"}, []uint64{705, 56, 132, 0}},
		// Two gaps are 0, and so is that of the first packet.
		{gaps, []any{"0", "2", "1"}, []uint64{3, 0, 890}},
		// 35 gaps are negative, which makes them huge.
		{gaps, []any{"0", "9223372036854775807", "9223372036854775807"}, []uint64{858, 35}},
	} {
		if d := distOver(t, client, trace, c.of, c.bounds...); !slices.Equal(d.Counts, c.want) {
			t.Errorf("%v by %v: %d, want %d", c.of, c.bounds, d.Counts, c.want)
		}
	}
}

// TestDistAgainstTshark counts the lengths and gaps that tshark reports.
func TestDistAgainstTshark(t *testing.T) {
	client := start(t).client()
	for _, name := range []string{"nd-skype.pcap", "nd-ftp.pcap", "nd-bittorrent.pcap", "mapi-tracefile.pcap", "zk-gtp-fragments.pcap"} {
		path := filepath.Join(testdata.Dir(t), name)
		rows := tsharkFields(t, path, "frame", "frame.len", "frame.time_epoch")
		bySize, byGap := make([]uint64, 21), make([]uint64, 101)
		last := timeStamp(t, rows[0][1])
		for _, row := range rows {
			size, ts := number(t, row[0]), timeStamp(t, row[1])
			bySize[(min(max(size, 60), 1460)-60)/70]++
			byGap[min((ts-last)/42949673, 100)]++ // of 10 ms; negative gaps are in the last
			last = ts
		}
		if d := distOver(t, client, path, sizes, "60", "1460", "70"); !slices.Equal(d.Counts, bySize) {
			t.Errorf("%s: sizes %d, tshark says %d", name, d.Counts, bySize)
		}
		if d := distOver(t, client, path, gaps, "0", "1s", "10ms"); !slices.Equal(d.Counts, byGap) {
			t.Errorf("%s: gaps %d, tshark says %d", name, d.Counts, byGap)
		}
	}
}

func TestDistErrors(t *testing.T) {
	ctx := t.Context()
	f, err := start(t).client().CreateOfflineFlow(ctx, firstPackets(t, "mapi-www.pcap", 1), mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	size, err := f.Apply(ctx, "PKTINFO", mapi.PktSize)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := f.Apply(ctx, "HASHSAMP", 1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		args []any
		want mapi.Code
	}{
		{"no such function", []any{f.FD(), 99, "0", "10", "1"}, mapi.ErrInvalidArgument1},
		{"function without a number", []any{samples, "0", "10", "1"}, mapi.ErrInvalidArgument1},
		{"min above max", []any{size, "10", "0", "1"}, mapi.ErrInvalidArgument},
		{"no number", []any{size, "a", "10", "1"}, mapi.ErrInvalidArgument3},
		{"wide interval", []any{size, "0", "10", "11"}, mapi.ErrInvalidArgument4},
		{"no interval", []any{size, "0", "10", "0"}, mapi.ErrInvalidArgument5},
		{"too many intervals", []any{size, "0", "1s", "1"}, mapi.ErrInvalidArgument5},
	} {
		_, err := f.Apply(ctx, "DIST", c.args...)
		wantCode(t, c.what, err, c.want)
	}
}
