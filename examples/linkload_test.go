package examples

import (
	"fmt"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// loads reads the table of linkload: bytes per period for each column.
func loads(t *testing.T, table string, columns int, period time.Duration) (rows [][]float64) {
	t.Helper()
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) != 1+columns {
			t.Fatalf("row %q", line)
		}
		row := make([]float64, columns)
		for i, f := range fields[1:] {
			if _, err := fmt.Sscan(f, &row[i]); err != nil {
				t.Fatalf("row %q: %v", line, err)
			}
			row[i] = math.Round(row[i] * 1e6 / 8 * period.Seconds())
		}
		rows = append(rows, row)
	}
	return rows
}

// wanted computes the table from the packets as libpcap reads them.
func wanted(t *testing.T, path string, period time.Duration, filters ...string) (rows [][]float64) {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	programs := make([]*pcap.BPF, len(filters))
	for i, f := range filters {
		if programs[i], err = h.NewBPF(f); err != nil {
			t.Fatal(err)
		}
	}
	var begin time.Time
	row := make([]float64, len(filters))
	for {
		data, info, err := h.ReadPacketData()
		if err == io.EOF {
			return rows // without the period that no packet ends
		}
		if err != nil {
			t.Fatal(err)
		}
		if begin.IsZero() {
			begin = info.Timestamp
		}
		for info.Timestamp.Sub(begin) > period {
			rows, row = append(rows, row), make([]float64, len(filters))
			begin = begin.Add(period)
		}
		addMatching(row, programs, data, info)
	}
}

func addMatching(row []float64, programs []*pcap.BPF, data []byte, info gopacket.CaptureInfo) {
	for i, p := range programs {
		if p.Matches(info, data) {
			row[i] += float64(info.Length)
		}
	}
}

func TestLinkloadOfFiles(t *testing.T) {
	filters := []string{"tcp", "udp", "src net 139.91.0.0/16 or src net 10.0.0.0/8", "not ip"}
	daemon(t)
	for file, period := range map[string]time.Duration{
		"mapi-tracefile.pcap": 5 * time.Second, "mapi-www.pcap": time.Second, "nd-skype.pcap": 1500 * time.Millisecond,
	} {
		path := filepath.Join(testdata.Dir(t), file)
		out, err := exec.Command(filepath.Join(bin, "linkload"), append([]string{"-p", period.String(), "-r", path}, filters...)...).Output()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		head, table, _ := strings.Cut(string(out), "\n")
		got, want := loads(t, table, len(filters), period), wanted(t, path, period, filters...)
		if fmt.Sprint(got) != fmt.Sprint(want) || len(want) == 0 || !strings.HasPrefix(head, "until  ") {
			t.Errorf("%s: %q\n%v\nwant\n%v", file, head, got, want)
		}
	}
}

// TestLinkloadLive sends packets of two kinds, and then others until the program
// has seen enough periods.
func TestLinkloadLive(t *testing.T) {
	const period = 50 * time.Millisecond
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, fmt.Sprintf("%-12s  %12s  %12s\n", "until", "udp", "tcp"), "linkload", "-p", period.String(), "-n", "6", testnet.B, "udp", "tcp")
		s := ns.Sender(testnet.A)
		send := func(frame []byte) {
			if err := s.Send(frame); err != nil {
				t.Error(err)
			}
		}
		for i := range uint64(100) {
			send(testnet.UDP(i, 100))
			send(testnet.TCP(i, 300))
		}
		said := make(chan string)
		go func() {
			rest, _ := io.ReadAll(r.lines)
			said <- string(rest)
		}()
		other := testnet.Tagged(testnet.UDP(0, 60), testnet.Tag{TPID: 0x8100, TCI: 7}) // neither udp nor tcp
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				send(other)
				continue
			case table := <-said:
				var udp, tcp float64
				for _, row := range loads(t, table, 2, period) {
					udp, tcp = udp+row[0], tcp+row[1]
				}
				if udp != 100*100 || tcp != 100*300 || strings.Count(table, "\n") != 6 {
					t.Errorf("%v bytes of UDP, %v of TCP:\n%s", udp, tcp, table)
				}
			}
			break
		}
		if err := r.cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
}
