package examples

import (
	"fmt"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"
	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// loads parses the table of linkload into bytes per period for each column.
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

// wanted computes the table from the packets that libpcap reads.
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
			return rows // without the last period, which no packet ends
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

// TestLinkloadLive sends packets of two kinds. It then sends other packets, which end the
// periods, until the program has reported all packets of the two kinds.
func TestLinkloadLive(t *testing.T) {
	const period = 50 * time.Millisecond
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, fmt.Sprintf("%-12s  %12s  %12s\n", "until", "udp", "tcp"), "linkload", "-p", period.String(), testnet.B, "udp", "tcp")
		s := ns.Sender(testnet.A)
		for i := range uint64(100) {
			send(t, s, testnet.UDP(i, 100), testnet.TCP(i, 300))
		}
		other := testnet.Tagged(testnet.UDP(0, 60), testnet.Tag{TPID: 0x8100, TCI: 7}) // neither udp nor tcp
		var ending atomic.Bool
		ended := ns.Go(func() {
			for tick := time.Tick(period / 10); !ending.Load(); <-tick {
				if err := s.Send(other); err != nil {
					t.Error(err)
					return
				}
			}
		})
		var udp, tcp float64
		for udp < 100*100 || tcp < 100*300 {
			row := loads(t, r.line(t), 2, period)[0]
			udp, tcp = udp+row[0], tcp+row[1]
		}
		if udp != 100*100 || tcp != 100*300 {
			t.Errorf("%v bytes of UDP, %v of TCP", udp, tcp)
		}
		ending.Store(true)
		<-ended
		_ = r.cmd.Process.Signal(unix.SIGTERM)
		_ = r.cmd.Wait() // ended by the signal
	})
}
