package acceptance

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
)

// call is a function with arguments.
type call struct {
	name string
	args []any
}

func (c call) String() string { return fmt.Sprintf("%s%#v", c.name, c.args) }

func search(pattern string, offset, depth int) call {
	return call{"STR_SEARCH", []any{pattern, offset, depth}}
}

func sample(value int, mode mapi.SampleMode) call { return call{"SAMPLE", []any{value, mode}} }

// countBehind counts, in one pass over a file, the packets that pass each of
// the calls.
func countBehind(t *testing.T, c *mapi.Client, path string, calls ...call) []uint64 {
	t.Helper()
	ctx := t.Context()
	d, err := c.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	var counters []*mapi.Function
	for _, call := range calls {
		f, err := c.CreateFlow(ctx, d.Name())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Apply(ctx, call.name, call.args...); err != nil {
			t.Fatal(err)
		}
		counter, err := f.Apply(ctx, "PKT_COUNTER")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Connect(ctx); err != nil {
			t.Fatal(err)
		}
		counters = append(counters, counter)
	}
	if err := d.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	var counts []uint64
	for _, counter := range counters {
		n, err := counter.Uint64()
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, n)
	}
	if err := d.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	return counts
}

// goldens are numbers that the original's tests assert or that follow from its
// rules.
var goldens = map[string][]struct {
	call
	want uint64
}{
	"mapi-tracefile.pcap": {
		{search("www", 0, 1500), 2},
		{search("www", 0, 0), 2},
		{search("GET", 0, 0), 45},
		{search("HTTP", 0, 0), 79},
		{search("HTTP", 54, 10), 45},
		{search("|00 00|", 0, 0), 893},
		{search("|00 00|", 54, 0), 388},
		{search("|00 00|", 54, 10), 329},
		{sample(20, mapi.SamplePeriodic), 44},
		{sample(1, mapi.SamplePeriodic), 893},
		{sample(2, mapi.SamplePeriodic), 446},
		{sample(3, mapi.SamplePeriodic), 297},
		{sample(10, mapi.SamplePeriodic), 89},
		{sample(100, mapi.SamplePeriodic), 8},
		{sample(894, mapi.SamplePeriodic), 0},
		{sample(0, mapi.SamplePeriodic), 893},
		{sample(20, 7), 44},
		{sample(0, mapi.SampleProbabilistic), 0},
		{sample(100, mapi.SampleProbabilistic), 893},
	},
	"mapi-www.pcap": {
		{search("www", 0, 0), 1},
		{search("GET", 0, 0), 1},
		{search("HTTP", 0, 0), 1},
		{search("www", 0, 1500), 1},
		{sample(20, mapi.SamplePeriodic), 0},
		{sample(3, mapi.SamplePeriodic), 3},
	},
}

func TestFunctionGoldens(t *testing.T) {
	client := start(t).client()
	for name, rows := range goldens {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testdata.Dir(t), name)
			var calls []call
			for _, r := range rows {
				calls = append(calls, r.call)
			}
			for i, got := range countBehind(t, client, path, calls...) {
				if got != rows[i].want {
					t.Errorf("%v passes %d packets, want %d", rows[i].call, got, rows[i].want)
				}
			}
		})
	}
}

// searches are equivalent searches for STR_SEARCH and tshark.
var searches = []struct {
	call
	display string // Wireshark display filter
}{
	{search("HTTP", 0, 0), `frame contains "HTTP"`},
	{search("GET /||POST ||USER ||220 ", 0, 0), `frame contains "GET /" or frame contains "POST " or frame contains "USER " or frame contains "220 "`},
	{search("|00 00 00|", 0, 0), `frame contains 00:00:00`},
	{search("|0d 0a|", 54, 0), `frame[54:] contains 0d:0a`},
	{search("|ff ff|", 6, 8), `frame[6:8] contains ff:ff`},
	{search("e", 30, 0), `frame[30:] contains "e"`},
	{search("|45 00||||60 00|", 12, 4), `frame[12:4] contains 45:00 or frame[12:4] contains 60:00`},
	{search(`\\||\|`, 0, 0), `frame contains 5c or frame contains 7c`},
	{search("|c0 0c 00|", 40, 0), `frame[40:] contains c0:0c:00`},
}

// TestSearchAgainstTshark compares with tshark on every undamaged capture.
func TestSearchAgainstTshark(t *testing.T) {
	needs(t, "tshark")
	dir := testdata.Dir(t)
	client := start(t).client()
	hits, compared := uint64(0), 0
	for _, c := range captures(t) {
		if c.erf() || c.status != "ok" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			want := tsharkCounts(t, path)
			if want["frame"] != c.packets {
				t.Logf("not compared: tshark counts custom blocks as packets, %d instead of %d", want["frame"], c.packets)
				return
			}
			var calls []call
			for _, s := range searches {
				calls = append(calls, s.call)
			}
			for i, got := range countBehind(t, client, path, calls...) {
				if got != want[searches[i].display] {
					t.Errorf("%v passes %d packets, tshark finds %d", calls[i], got, want[searches[i].display])
				}
				hits += got
				compared++
			}
		})
	}
	if compared < 400 || hits < 10000 {
		t.Errorf("only %d searches with %d hits were compared", compared, hits)
	}
	t.Logf("%d searches with %d hits compared", compared, hits)
}

// tsharkCounts returns the number of packets that match each display filter,
// and "frame" for all.
func tsharkCounts(t *testing.T, path string) map[string]uint64 {
	t.Helper()
	// Without IP, because its statistics omit packets that an ICMP error
	// quotes.
	args := []string{"-n", "-q", "-r", path, "--disable-protocol", "ip", "--disable-protocol", "ipv6", "-z", "io,phs,frame"}
	for _, s := range searches {
		args = append(args, "-z", "io,phs,"+s.display)
	}
	counts := make(map[string]uint64)
	filter := ""
	for line := range strings.Lines(output(t, "tshark", args...)) {
		if f, ok := strings.CutPrefix(line, "Filter: "); ok {
			filter = strings.TrimSpace(f)
		}
		var n uint64
		if _, err := fmt.Sscanf(line, "frame frames:%d", &n); err == nil {
			counts[filter] = n
		}
	}
	return counts
}
