package offline

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
)

// facts are the rows of one capture: kind and key to value.
type facts map[[2]string]string

func corpus(t *testing.T) map[string]facts {
	files := map[string]facts{}
	for _, r := range testdata.Expected(t) {
		if files[r.File] == nil {
			files[r.File] = facts{}
		}
		files[r.File][[2]string{r.Kind, r.Key}] = r.Value
	}
	return files
}

// TestCorpus reads every capture and compares with the counts of capinfos,
// tshark and tcpdump.
func TestCorpus(t *testing.T) {
	dir := testdata.Dir(t)
	for name, want := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			pkts, _, err := read(t, filepath.Join(dir, name))
			if strings.Contains(name, ".erf") {
				if err == nil || !strings.Contains(err.Error(), "ERF") {
					t.Errorf("an ERF file gives %v", err)
				}
				mustCode(t, err)
				return
			}
			switch status := want[[2]string{"file", "status"}]; {
			case status == "ok" && err != nil, status != "ok" && err == nil:
				t.Errorf("status %s, but error %v", status, err)
			case err != nil:
				t.Log(err)
				mustCode(t, err)
			}
			if n := want[[2]string{"before-error", "tcpdump-packets"}]; n != "" && n != strconv.Itoa(len(pkts)) {
				t.Errorf("%d packets before the error, want %s", len(pkts), n)
			}
			compare(t, want, count(pkts))
		})
	}
}

func compare(t *testing.T, want, got facts) {
	for k, v := range want {
		if k[0] != "total" && k[0] != "interface" {
			continue
		}
		if k[1] == "first_time" || k[1] == "last_time" {
			v = carried(t, v)
		}
		if got[k] != v {
			t.Errorf("%s %s: %q, want %q", k[0], k[1], got[k], v)
		}
	}
}

// count returns the rows that an independent tool reports for the same packets.
func count(pkts []pkt.Packet) facts {
	got := facts{}
	total := func(key string, v any) { got[[2]string{"total", key}] = fmt.Sprint(v) }
	var wire, capture, squares, cut uint64
	lowest, highest := ^uint64(0), uint64(0)
	perIf := map[uint16]int{}
	for _, p := range pkts {
		w := uint64(p.Wire)
		wire, capture, squares = wire+w, capture+uint64(len(p.Link)), squares+w*w
		lowest, highest = min(lowest, w), max(highest, w)
		if p.Flags&pkt.Truncated != 0 {
			cut++
		}
		perIf[p.IfIndex]++
	}
	total("packets", len(pkts))
	total("wire_bytes", wire)
	total("cap_bytes", capture)
	if len(pkts) > 0 {
		total("wire_min", lowest)
		total("wire_max", highest)
		total("wire_sum2", squares)
		total("truncated_packets", cut)
		total("first_time", stamp(pkts[0].TS))
		total("last_time", stamp(pkts[len(pkts)-1].TS))
	}
	for id, n := range perIf {
		got[[2]string{"interface", strconv.Itoa(int(id))}] = strconv.Itoa(n)
	}
	return got
}

func stamp(ts uint64) string {
	sec, nsec := pkt.Split(ts)
	return fmt.Sprintf("%d.%09d", sec, nsec)
}

// carried reduces a fraction of one second or more to below one: the tools
// print the fraction as it is in the file. A packet without time has time 0
// here.
func carried(t *testing.T, v string) string {
	if v == "" {
		v = "0.0"
	}
	s, f, _ := strings.Cut(v, ".")
	sec, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	nsec, err := strconv.ParseUint(f, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d.%09d", sec+nsec/1e9, nsec%1e9)
}
