package acceptance

import (
	"path/filepath"
	"testing"
	"time"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// TestPktInfoAndGap compares the results for the last packet with tshark, for
// files that end anywhere in a capture.
func TestPktInfoAndGap(t *testing.T) {
	client := start(t).client()
	for _, c := range []struct {
		file string
		ends []int
	}{
		{"mapi-tracefile.pcap", []int{1, 2, 3, 100, 381, 500, 892, 893}},
		{"mapi-www.pcap", []int{1, 2, 3, 4, 10}},
		{"nd-skype.pcap", []int{1, 1000}},
	} {
		rows := tsharkFields(t, filepath.Join(testdata.Dir(t), c.file), "frame", "frame.time_epoch", "frame.len")
		for _, n := range c.ends {
			fns := ranOver(t, client, firstPackets(t, c.file, n),
				call{"PKTINFO", []any{mapi.PktTS}}, call{"PKTINFO", []any{mapi.PktSize}}, call{"GAP", nil})
			want := []uint64{timeStamp(t, rows[n-1][0]), number(t, rows[n-1][1]), 0}
			if n > 1 {
				want[2] = want[0] - timeStamp(t, rows[n-2][0])
			}
			for i, fn := range fns {
				if got, err := fn.Uint64(); err != nil || got != want[i] {
					t.Errorf("%s, packet %d: %s gives %d, %v, want %d", c.file, n, fn.Name(), got, err, want[i])
				}
			}
		}
	}
}

func TestGapGoldens(t *testing.T) {
	client := start(t).client()
	for i, want := range []time.Duration{0, 1735, 52, 18907} { // microseconds
		fn := ranOver(t, client, firstPackets(t, "mapi-www.pcap", i+1), call{"GAP", nil})[0]
		g, ok := result.ParseGap(bytesOf(t, fn))
		if d := g.Duration(); !ok || d.Round(time.Microsecond) != want*time.Microsecond {
			t.Errorf("gap before packet %d is %v, %v, want %v", i, d, ok, want*time.Microsecond)
		}
	}
}

func TestPktInfoErrors(t *testing.T) {
	f, err := start(t).client().CreateOfflineFlow(t.Context(), firstPackets(t, "mapi-www.pcap", 1), mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Apply(t.Context(), "PKTINFO", 2)
	wantCode(t, "PKTINFO(2)", err, mapi.ErrInvalidArgument2)
	_, err = f.Apply(t.Context(), "HASH", 4)
	wantCode(t, "HASH(4)", err, mapi.ErrInvalidArgument1)
	_, err = f.Apply(t.Context(), "HASHSAMP", 0, 0)
	wantCode(t, "HASHSAMP(0, 0)", err, mapi.ErrInvalidArgument1)
}
