package acceptance

import (
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/gopacket"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// burstsOf runs BURST over a file.
func burstsOf(t *testing.T, client *mapi.Client, path string, args ...any) []result.BurstCategory {
	t.Helper()
	ctx := t.Context()
	f, err := client.CreateOfflineFlow(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(ctx, "BURST", args...)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := fn.Read()
	if err != nil {
		t.Fatal(err)
	}
	list, ok := result.ParseBurst(r.Res)
	if !ok {
		t.Fatalf("result of %d bytes", len(r.Res))
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestBurstGoldens(t *testing.T) {
	client := start(t).client()
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	want := map[int]result.BurstCategory{
		1:  {Bytes: 57956, Packets: 546, Bursts: 393},
		2:  {Bytes: 6659, Packets: 24, Bursts: 5},
		3:  {Bytes: 21168, Packets: 51, Bursts: 9},
		4:  {Bytes: 9693, Packets: 20, Bursts: 3},
		5:  {Bytes: 17919, Packets: 27, Bursts: 4},
		6:  {Bytes: 16554, Packets: 24, Bursts: 3},
		7:  {Bytes: 12320, Packets: 16, Bursts: 2},
		10: {Bytes: 27720, Packets: 36, Bursts: 3},
		11: {Bytes: 113401, Packets: 148, Bursts: 7},
	}
	args := []any{0, 10000, 1000, 16000, 1230400, 1230400, 10}
	list := burstsOf(t, client, path, args...)
	if len(list) != 12 {
		t.Errorf("%d categories, want 12", len(list))
	}
	var packets uint64
	for i, c := range list {
		packets += c.Packets
		c.GapBytes, c.Gaps = 0, 0
		if c != want[i] {
			t.Errorf("category %d: %+v, want %+v", i, c, want[i])
		}
	}
	if packets != 892 {
		t.Errorf("%d packets, want 892: the last one is open", packets)
	}
	last := burstsOf(t, client, path, append(args, 1)...)[1]
	if w := want[1]; last.Bytes != w.Bytes+74 || last.Packets != w.Packets+1 || last.Bursts != w.Bursts+1 {
		t.Errorf("with the last one %+v", last)
	}
}

// burstModel is BURST in exact fractions of ns, over the packets as read by
// libpcap.
func burstModel(pkts []gopacket.CaptureInfo, low, high, step, ifTime, late, early, speed int64) []result.BurstCategory {
	last := (high-low)/step + 1
	out := make([]result.BurstCategory, last+1)
	category := func(size int64) *result.BurstCategory {
		if size < low {
			return &out[0]
		}
		return &out[min((size-low)/step+1, last)]
	}
	var bytes, packets int64
	for i, p := range pkts {
		if i > 0 {
			before := pkts[i-1]
			lateness := new(big.Rat).SetFrac64(-int64(before.Length)*8000, speed)
			lateness.Add(lateness, new(big.Rat).SetInt64(p.Timestamp.Sub(before.Timestamp).Nanoseconds()-ifTime))
			if lateness.Cmp(new(big.Rat).SetInt64(late)) > 0 || lateness.Cmp(new(big.Rat).SetInt64(-early)) < 0 {
				c := category(bytes)
				c.Bytes, c.Packets, c.Bursts = c.Bytes+uint64(bytes), c.Packets+uint64(packets), c.Bursts+1
				bytes, packets = 0, 0
				room := lateness.Mul(lateness, new(big.Rat).SetFrac64(speed, 8000))
				gap := max(new(big.Int).Quo(room.Num(), room.Denom()).Int64(), 0)
				c = category(gap)
				c.GapBytes, c.Gaps = c.GapBytes+uint64(gap), c.Gaps+1
			}
		}
		bytes, packets = bytes+int64(p.Length), packets+1
	}
	return out
}

// TestBurstsOfCaptures compares with the model, gaps included.
func TestBurstsOfCaptures(t *testing.T) {
	client := start(t).client()
	for _, name := range []string{"mapi-tracefile.pcap", "nd-skype.pcap", "nd-bittorrent.pcap", "zk-http-bro.org.pcap"} {
		path := filepath.Join(testdata.Dir(t), name)
		all := packetsOf(t, path)
		for _, a := range [][7]int64{
			{0, 10000, 1000, 16000, 1230400, 1230400, 10},
			{64, 100000, 500, 0, 0, 0, 100},
			{1, 2, 1, 1000, 1000000, 1000000, 3},
			{0, 1 << 30, 1 << 20, 96, 2000000, 50000, 1000},
		} {
			want := burstModel(all, a[0], a[1], a[2], a[3], a[4], a[5], a[6])
			got := burstsOf(t, client, path, a[0], a[1], a[2], a[3], a[4], a[5], a[6])
			if !slices.Equal(got, want) {
				t.Errorf("%s, BURST%v gives\n%v, want\n%v", name, a, got, want)
			}
		}
	}
}

func TestBurstErrors(t *testing.T) {
	f, err := start(t).client().CreateOfflineFlow(t.Context(), filepath.Join(testdata.Dir(t), "mapi-www.pcap"), mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range []mapi.Code{mapi.ErrInvalidArgument1, mapi.ErrInvalidArgument2, mapi.ErrInvalidArgument3,
		mapi.ErrInvalidArgument4, mapi.ErrInvalidArgument5, mapi.ErrInvalidArgument6, mapi.ErrInvalidArgument} {
		args := []any{0, 10000, 1000, 16000, 1230400, 1230400, 10}
		args[i] = -1
		_, err := f.Apply(t.Context(), "BURST", args...)
		wantCode(t, "a negative argument", err, code)
	}
}
