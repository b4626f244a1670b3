package examples

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
)

// worm returns a frame with a UDP packet of the given content.
func worm(t *testing.T, src, dst string, srcPort, dstPort int, content string) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: parse(src), DstIP: parse(dst)}
	udp := &layers.UDP{SrcPort: layers.UDPPort(srcPort), DstPort: layers.UDPPort(dstPort)}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: testnet.MACofA, DstMAC: testnet.MACofB, EthernetType: layers.EthernetTypeIPv4},
		ip, udp, gopacket.Payload(content))
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// running is a running example.
type running struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
}

// start runs an example, at most until the end of the test. It returns after the first
// line of output.
func start(t *testing.T, first string, args ...string) *running {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testenv.Bound(t, cmd.Process)
	r := &running{cmd, bufio.NewReader(out)}
	if said, err := r.lines.ReadString('\n'); said != first {
		t.Errorf("%s says %q, %v", args[0], said, err)
	}
	return r
}

// line waits for the next line.
func (r *running) line(t *testing.T) string {
	t.Helper()
	said, err := r.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("behind %q: %v", said, err)
	}
	return said
}

func send(t *testing.T, s *testnet.Sender, frames ...[]byte) {
	t.Helper()
	for _, frame := range frames {
		if err := s.Send(frame); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSigmatch checks that only the worm matches, among packets that nearly do.
func TestSigmatch(t *testing.T) {
	const signature = "\x00\x00E\x00\x00E\x00\x00@\x00"
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, "waiting for the worm\n", "sigmatch", testnet.B)
		s := ns.Sender(testnet.A)
		const head = 14 + 20 + 8
		last := strings.Repeat("x", 100-head-len(signature)) // ends at byte 100
		for _, frame := range [][]byte{
			worm(t, "10.0.0.1", "139.91.23.5", 2002, 80, "\x00\x00E\x00\x00F\x00\x00@\x00"), // one byte off
			worm(t, "10.0.0.2", "139.91.23.5", 2002, 80, last+"x"+signature),                // beyond the depth
			worm(t, "10.0.0.3", "139.91.23.5", 2002, 81, signature),                         // other port
			worm(t, "10.0.0.4", "139.91.24.5", 2002, 80, signature),                         // other net
			worm(t, "10.0.0.5", "139.91.23.5", 2002, 80, last+signature),
			worm(t, "10.0.0.6", "139.91.23.6", 2002, 80, signature+"more"),
		} {
			send(t, s, frame)
		}
		for _, want := range []string{
			"Slapper worm packet! 10.0.0.5 -> 139.91.23.5, 100 bytes\n",
			"Slapper worm packet! 10.0.0.6 -> 139.91.23.6, 60 bytes\n",
		} {
			if said, err := r.lines.ReadString('\n'); said != want {
				t.Errorf("%q, %v, want %q", said, err, want)
			}
		}
		_ = r.cmd.Process.Signal(unix.SIGTERM)
		_ = r.cmd.Wait() // ended by the signal
	})
}

// TestUtil sends packets in each direction until the reports include all of them.
func TestUtil(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		r := start(t, "load of 139.91.23.5\n", "util", testnet.B, "139.91.23.5")
		s := ns.Sender(testnet.A)
		for range 10 {
			send(t, s,
				worm(t, "10.0.0.1", "139.91.23.5", 1, 2, strings.Repeat("x", 958)),  // 1,000 bytes in
				worm(t, "139.91.23.5", "10.0.0.1", 2, 1, strings.Repeat("x", 458)),  // 500 bytes out
				worm(t, "139.91.23.6", "10.0.0.1", 2, 1, strings.Repeat("x", 1000))) // neither
		}
		var in, out uint64
		for in < 10_000 || out < 5000 {
			said := r.line(t) + r.line(t) + r.line(t)
			var more, back uint64
			var loadIn, loadOut float64 // 0.08 and 0.04 if all are in one report, of a second or longer
			if _, err := fmt.Sscanf(said, "incoming: %f Mbit/s (%d bytes)\noutgoing: %f Mbit/s (%d bytes)\n\n",
				&loadIn, &more, &loadOut, &back); err != nil || loadIn > 0.08 || loadOut > 0.04 || more == 10_000 && loadIn == 0 {
				t.Fatalf("util says %q, %v", said, err)
			}
			in, out = in+more, out+back
		}
		if in != 10_000 || out != 5000 {
			t.Errorf("%d bytes in and %d out, want 10000 and 5000", in, out)
		}
		_ = r.cmd.Process.Signal(unix.SIGTERM)
		_ = r.cmd.Wait() // ended by the signal
	})
}

func parse(address string) net.IP { return net.ParseIP(address).To4() }
