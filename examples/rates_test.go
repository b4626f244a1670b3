package examples

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
)

// TestRates sends packets of known number and size until the reports include them. The
// rates, each multiplied by its time, must add up to their number. The bytes of a
// report have their own time stamp, close to that of the packets.
func TestRates(t *testing.T) {
	const size, telling = 250, 9
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, "rates of "+testnet.B+"\n", "rates", "-i", "10ms", testnet.B, "udp")
		s := ns.Sender(testnet.A)
		var sent, told float64
		var sizes []float64
		for len(sizes) < telling || math.Round(told) < sent {
			if len(sizes) < telling {
				for i := range uint64(10) {
					send(t, s, testnet.UDP(i, size), testnet.TCP(i, size))
					sent++
				}
			}
			var packets, bits float64
			var elapsed string
			line := r.line(t)
			if _, err := fmt.Sscanf(line, "%f packets/s, %f bit/s in %s", &packets, &bits, &elapsed); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			d, err := time.ParseDuration(elapsed)
			if err != nil {
				t.Fatal(err)
			}
			told += packets * d.Seconds()
			if packets > 0 {
				sizes = append(sizes, bits/8/packets)
			}
		}
		_ = r.cmd.Process.Signal(unix.SIGTERM)
		_ = r.cmd.Wait() // ended by the signal
		slices.Sort(sizes)
		if median := sizes[len(sizes)/2]; math.Abs(told-sent) > 0.1 || median < size/2 || median > 2*size {
			t.Errorf("%v packets, %v were sent; of about %v bytes, want %d", told, sent, median, size)
		}

		r = start(t, "rates of "+testnet.B+"\n", "rates", "-i", "10ms", "-n", "3", testnet.B)
		said, _ := io.ReadAll(r.lines)
		if err := r.cmd.Wait(); err != nil || strings.Count(string(said), "\n") != 3 {
			t.Errorf("%v, of 3 reports it says %s", err, said)
		}
	})
}
