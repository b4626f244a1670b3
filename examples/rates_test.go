package examples

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testnet"
)

// TestRates sends packets of known number and size: that is what the rates, each
// over its time, add up to.
func TestRates(t *testing.T) {
	const packets, size = 400, 250
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, "rates of "+testnet.B+"\n", "rates", "-i", "100ms", "-n", "5", testnet.B, "udp")
		s := ns.Sender(testnet.A)
		for i := range uint64(packets) {
			for _, frame := range [][]byte{testnet.UDP(i, size), testnet.TCP(i, size)} {
				if err := s.Send(frame); err != nil {
					t.Fatal(err)
				}
			}
		}
		said, _ := io.ReadAll(r.lines)
		if err := r.cmd.Wait(); err != nil {
			t.Error(err)
		}
		var gotPackets, gotBits float64
		for line := range strings.Lines(string(said)) {
			var perSecond, bits float64
			var elapsed string
			if _, err := fmt.Sscanf(line, "%f packets/s, %f bit/s in %s", &perSecond, &bits, &elapsed); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			d, err := time.ParseDuration(elapsed)
			if err != nil {
				t.Fatal(err)
			}
			gotPackets += perSecond * d.Seconds()
			gotBits += bits * d.Seconds()
		}
		// The results of bytes have time stamps of their own, close to the others.
		if math.Abs(gotPackets-packets) > 0.1 || math.Abs(gotBits/(packets*size*8)-1) > 0.2 || strings.Count(string(said), "\n") != 5 {
			t.Errorf("%v packets, %v bits:\n%s", gotPackets, gotBits, said)
		}
	})
}
