package examples

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// A tally has the statistics that STATS computes of a counter that it resets after each period.
type tally struct {
	period           time.Duration
	begin            time.Time
	counter          float64
	count, sum, sum2 float64
	least, most      float64
}

func (a *tally) add(at time.Time, n float64) {
	if a.begin.IsZero() {
		a.begin = at
	}
	a.counter += n
	if at.Sub(a.begin) <= a.period {
		return
	}
	a.begin = a.begin.Add(a.period) // a packet ends at most one period
	v := a.counter
	a.counter = 0
	if a.count == 0 || v < a.least {
		a.least = v
	}
	a.most = max(a.most, v)
	a.count, a.sum, a.sum2 = a.count+1, a.sum+v, a.sum2+v*v
}

// interval has the results of burststat for one interval.
type interval struct {
	packets, bytes float64
	tallies        [6]tally // packets and bytes for each period
}

// observed reads a capture with libpcap and returns its intervals.
func observed(t *testing.T, path string, start time.Time, length time.Duration, number int) []interval {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	all := make([]interval, number)
	for i := range all {
		for j, p := range []time.Duration{time.Second, 100 * time.Millisecond, 10 * time.Millisecond} {
			all[i].tallies[2*j].period, all[i].tallies[2*j+1].period = p, p
		}
	}
	for {
		_, info, err := h.ReadPacketData()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		i := int(info.Timestamp.Sub(start) / length)
		if info.Timestamp.Before(start) || i >= number {
			continue
		}
		v := &all[i]
		v.packets++
		v.bytes += float64(info.Length)
		for j := range v.tallies {
			v.tallies[j].add(info.Timestamp, [2]float64{1, float64(info.Length)}[j%2])
		}
	}
}

// row returns the line that RES2FILE writes.
func (v *interval) row() string {
	s := fmt.Sprintf("%.0f %.0f ", v.packets, v.bytes)
	for _, a := range v.tallies {
		s += fmt.Sprintf("%.0f  %.6f %.6f %.6f %.6f ", a.count, a.sum, a.sum2, a.least, a.most)
	}
	return s
}

func TestBurststatOfFile(t *testing.T) {
	const length, number = 30 * time.Second, 5
	path, dir := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap"), t.TempDir()
	start := time.Unix(1089376560, 0)
	t.Setenv("TZ", "Asia/Kathmandu") // for mapid and the program
	zone, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Skip(err)
	}
	daemon(t)
	out, err := exec.Command(filepath.Join(bin, "burststat"), "-r", path, "-s", start.In(zone).Format(time.DateTime),
		"-i", length.String(), "-n", fmt.Sprint(number), dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Split(string(out), "\n")
	for i, v := range observed(t, path, start, length, number) {
		from := start.Add(time.Duration(i) * length)
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.txt", from.Unix())))
		if err != nil {
			t.Fatal(err)
		}
		head, row, _ := strings.Cut(string(b), "\n")
		if row != v.row()+"\n" || len(strings.Fields(head)) != 8 {
			t.Errorf("interval %d: %q\n%q\nwant\n%q", i, head, row, v.row())
		}
		line := fmt.Sprintf("%s,%.0f,%.0f", from.UTC().Format(time.RFC3339), v.packets, v.bytes)
		for j, a := range []int{1, 3, 5} {
			line += fmt.Sprintf(",%.6f", v.tallies[a].most*8/1e6*[]float64{1, 10, 100}[j])
		}
		if said[i+1] != line {
			t.Errorf("it says %q, want %q", said[i+1], line)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) != 0 || len(said) != number+2 {
		t.Errorf("files %v are left, %d lines", left, len(said))
	}
}

// TestBurststatLive sends packets by the clock and compares the intervals with the packets
// that it sent in them. It tries to send none near the edge of a second.
func TestBurststatLive(t *testing.T) {
	dir := t.TempDir()
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, "start,packets,bytes,max_1s,max_100ms,max_10ms\n", "burststat", "-i", "1s", "-n", "2", testnet.B, dir)
		said := make(chan string)
		go func() {
			rest, _ := io.ReadAll(r.lines)
			said <- string(rest)
		}()
		s := ns.Sender(testnet.A)
		sent, perhaps := make(map[string]int), make(map[string]int)
		second := func(at time.Time) string { return at.Truncate(time.Second).UTC().Format(time.RFC3339) }
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		table := ""
		for table == "" {
			select {
			case table = <-said:
			case <-tick.C:
				now := time.Now()
				if left := now.Sub(now.Truncate(time.Second)); left < 100*time.Millisecond || left > 900*time.Millisecond {
					continue
				}
				send(t, s, testnet.UDP(0, 200))
				before, after := second(now), second(time.Now())
				if before == after {
					sent[before]++
				} else { // the test was delayed
					perhaps[before]++
					perhaps[after]++
				}
			}
		}
		if err := r.cmd.Wait(); err != nil {
			t.Error(err)
		}
		lines := strings.Fields(table)
		for _, line := range lines {
			fields := strings.Split(line, ",")
			least, n := sent[fields[0]], 0
			_, err := fmt.Sscan(fields[1], &n)
			if err != nil || len(fields) != 6 || n < least || n > least+perhaps[fields[0]] || fields[2] != fmt.Sprint(200*n) ||
				(fields[5] == "0.000000") != (n == 0) {
				t.Errorf("%q, %d packets were sent, and perhaps %d", line, least, perhaps[fields[0]])
			}
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 2 || len(lines) != 2 || len(sent) == 0 {
			t.Errorf("files %v, lines %q", files, lines)
		}
	})
}
