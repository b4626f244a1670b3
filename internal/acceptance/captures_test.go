package acceptance

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
)

// capture is what independent tools report for a file.
type capture struct {
	name    string
	status  string // ok, partial, refused
	format  string
	link    string // link type, in the words of capinfos
	packets uint64
	cut     uint64 // truncated packets
	bytes   uint64
	good    uint64               // packets before the damage of a partial file
	filters map[string][2]uint64 // packets and bytes
	refused []string             // filters that are invalid for the link type
}

// captures reads expected.tsv.
func captures(t *testing.T) []*capture {
	t.Helper()
	byName := make(map[string]*capture)
	var all []*capture
	for _, r := range testdata.Expected(t) {
		c := byName[r.File]
		if c == nil {
			c = &capture{name: r.File, filters: make(map[string][2]uint64)}
			byName[r.File] = c
			all = append(all, c)
		}
		c.take(t, r)
	}
	return all
}

func (c *capture) take(t *testing.T, r testdata.Row) {
	number := func() uint64 {
		n, err := strconv.ParseUint(r.Value, 10, 64)
		if err != nil {
			t.Fatalf("%s %s %s: %v", r.File, r.Kind, r.Key, err)
		}
		return n
	}
	switch r.Kind + " " + r.Key {
	case "file status":
		c.status = r.Value
	case "file format":
		c.format = r.Value
	case "file encapsulation":
		c.link = r.Value
	case "total truncated_packets":
		c.cut = number()
	case "total packets":
		c.packets = number()
	case "total wire_bytes":
		c.bytes = number()
	case "before-error tcpdump-packets", "before-error tshark-packets":
		c.good = max(c.good, number())
	}
	f := c.filters[r.Key]
	switch {
	case r.Kind == "filter-packets" && r.Value == "unsupported":
		c.refused = append(c.refused, r.Key)
		return
	case r.Kind == "filter-packets":
		f[0] = number()
	case r.Kind == "filter-bytes":
		f[1] = number()
	default:
		return
	}
	c.filters[r.Key] = f
}

func (c *capture) erf() bool { return strings.Contains(c.name, ".erf") }

// TestCaptures counts every capture of the data set: all packets, and all
// filters that tcpdump has counted, together in one pass and separately.
func TestCaptures(t *testing.T) {
	dir := testdata.Dir(t)
	client := start(t).client()
	rows := 0
	for _, c := range captures(t) {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			switch {
			case c.erf() || c.status == "refused":
				_, err := client.CreateOfflineDevice(t.Context(), path, mapi.FormatPCAP)
				wantCode(t, "opening", err, mapi.ErrFile)
			case c.status == "partial":
				checkPartial(t, client, c, path)
			default:
				rows += checkWhole(t, client, c, path)
			}
		})
	}
	if rows < 1000 {
		t.Errorf("only %d filter rows were compared", rows)
	}
	t.Logf("%d filter rows compared, each twice", rows)
}

func checkPartial(t *testing.T, client *mapi.Client, c *capture, path string) {
	d, err := client.CreateOfflineDevice(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	f, err := count(t.Context(), client, d.Name(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = d.Wait(t.Context())
	wantCode(t, "end of a damaged file", err, mapi.ErrFile)
	if err != nil && !strings.Contains(err.Error(), "offset") {
		t.Errorf("%v names no offset", err)
	}
	balanced(t, client, d.Name())
	if p, _ := f.read(t); p != c.good {
		t.Errorf("%d packets before the damage, want %d", p, c.good)
	}
}

func checkWhole(t *testing.T, client *mapi.Client, c *capture, path string) (rows int) {
	filters := []string{""}
	want := [][2]uint64{{c.packets, c.bytes}}
	for f, n := range c.filters {
		filters = append(filters, f)
		want = append(want, n)
	}
	together := countFile(t, client, path, filters...)
	for i, f := range filters {
		if together[i] != want[i] {
			t.Errorf("%q together with the others: %d packets, %d bytes, want %d, %d",
				f, together[i][0], together[i][1], want[i][0], want[i][1])
		}
		alone := countFile(t, client, path, f)[0]
		if alone != want[i] {
			t.Errorf("%q alone: %d packets, %d bytes, want %d, %d", f, alone[0], alone[1], want[i][0], want[i][1])
		}
	}
	for _, f := range c.refused {
		checkRefused(t, client, path, f)
	}
	return len(c.filters)
}

// checkRefused applies a filter that is invalid for the file's link type in
// libpcap.
func checkRefused(t *testing.T, client *mapi.Client, path, filter string) {
	t.Helper()
	flow, err := client.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	_, err = flow.Apply(t.Context(), "BPF_FILTER", filter)
	wantCode(t, filter, err, mapi.ErrPcapBPF)
	if err := flow.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTutorialTrace has the numbers that the original's tests assert.
func TestTutorialTrace(t *testing.T) {
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	got := countFile(t, start(t).client(), path, "", "tcp", "udp")
	want := [][2]uint64{{893, 283464}, {596, 262260}, {110, 8759}}
	if !slices.Equal(got, want) {
		t.Errorf("all, tcp, udp: %v, want %v", got, want)
	}
}
