package libpcap

import (
	"strconv"
	"testing"

	"gomapi/internal/testdata"
)

// TestExpected compares with the counts of tcpdump, file by file.
func TestExpected(t *testing.T) {
	files := make(map[string]capture)
	for _, c := range allCaptures(t) {
		files[c.name] = c
	}
	compared := 0
	for _, row := range testdata.Expected(t) {
		c, ok := files[row.File]
		if !ok || row.Kind != "filter-packets" && row.Kind != "filter-bytes" {
			continue
		}
		compared++
		p, err := program(row.Key, c.linkType)
		if row.Value == "unsupported" {
			if err == nil {
				t.Errorf("%s: %q compiles for link type %d", row.File, row.Key, c.linkType)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.File, err)
			continue
		}
		packets, bytes := 0, 0
		for _, f := range c.packets {
			if p.Match(f.data, uint32(f.wire)) {
				packets++
				bytes += f.wire
			}
		}
		got := map[string]int{"filter-packets": packets, "filter-bytes": bytes}[row.Kind]
		if strconv.Itoa(got) != row.Value {
			t.Errorf("%s: %s of %q is %d, tcpdump says %s", row.File, row.Kind, row.Key, got, row.Value)
		}
	}
	t.Logf("%d counts", compared)
	if compared < 3000 {
		t.Errorf("only %d counts compared", compared)
	}
}
