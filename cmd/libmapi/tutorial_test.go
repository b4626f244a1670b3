package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// end marks the end of the tutorial.
const end = "(end)"

// listing returns the program between two headings of the tutorial: the numbered lines of
// code.
func listing(t testing.TB, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata.Dir(t), "..", "seeds", "mapi-tutorial.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text)+"\n"+end, "\n"+from)
	part, _, ended := strings.Cut(rest, "\n"+to)
	if !found || !ended {
		t.Fatalf("the tutorial has no part from %q to %q", from, to)
	}
	numbered := regexp.MustCompile(`^\s*(\d+)(?:\s(.*))?$`)
	var code strings.Builder
	next := 1
	for _, line := range strings.Split(part, "\n") {
		m := numbered.FindStringSubmatch(line)
		if m == nil || m[1] != strconv.Itoa(next) {
			continue
		}
		next++
		fmt.Fprintln(&code, m[2])
	}
	if next < 10 {
		t.Fatalf("only %d lines of code after %q", next-1, from)
	}
	return mend(code.String())
}

// mend corrects an error in the text version of the tutorial.
func mend(code string) string {
	return strings.ReplaceAll(code, "<map.h>", "<mapi.h>")
}

// The programs of the tutorial.
func packetCount(t testing.TB) string { return listing(t, "6.1 Getting Started", "6.2 Link") }
func linkLoad(t testing.TB) string    { return listing(t, "6.2 Link Utilization", "6.3 Worm") }
func wormWatch(t testing.TB) string {
	return listing(t, "6.3 Worm Detection", "6.4 Using") + listing(t, "G print_IP_pkt", end)
}

func libraryList(t testing.TB) string {
	return "#include <stdio.h>\n#include <mapi.h>\nint main(void) {\n" + listing(t, "4 Management", "5 Installation") + "\nreturn 0;\n}\n"
}

// withEth0 creates a network with the interface name of the tutorial.
func withEth0(t *testing.T, f func(ns *testnet.NS, d *daemon)) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.Rename(testnet.B, "eth0")
		f(ns, startDaemon(t))
	})
}

// eachOptimization runs f for each optimization level.
func eachOptimization(t *testing.T, f func(t *testing.T, level string)) {
	for _, level := range []string{"-O0", "-O2"} {
		t.Run(level, func(t *testing.T) { f(t, level) })
	}
}

// frame builds a packet from src to dst.
func frame(t testing.TB, src, dst string, transport gopacket.SerializableLayer, payload []byte) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
	switch l := transport.(type) {
	case *layers.UDP:
		ip.Protocol = layers.IPProtocolUDP
		_ = l.SetNetworkLayerForChecksum(ip)
	case *layers.TCP:
		ip.Protocol = layers.IPProtocolTCP
		_ = l.SetNetworkLayerForChecksum(ip)
	}
	eth := &layers.Ethernet{SrcMAC: testnet.MACofA, DstMAC: testnet.MACofB, EthernetType: layers.EthernetTypeIPv4}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, eth, ip, transport, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func sendAll(t testing.TB, s *testnet.Sender, n int, frame []byte) {
	t.Helper()
	for range n {
		if err := s.Send(frame); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPacketCount runs section 6.1, with its 10 seconds.
func TestPacketCount(t *testing.T) {
	eachOptimization(t, func(t *testing.T, level string) {
		withEth0(t, func(ns *testnet.NS, d *daemon) {
			p := start(t, d.command(compile(t, packetCount(t), level)))
			d.awaitActive(1)
			s := ns.Sender(testnet.A)
			sendAll(t, s, 123, testnet.TCP(1, 100)) // to port 80
			sendAll(t, s, 77, testnet.UDP(1, 100))
			if got := p.line(); got != "pkts: 123" {
				t.Errorf("the program prints %q", got)
			}
			p.endsWell()
			d.awaitNone()
		})
	})
}

// TestLinkLoad runs section 6.2 until it has printed all bytes.
func TestLinkLoad(t *testing.T) {
	eachOptimization(t, func(t *testing.T, level string) {
		withEth0(t, func(ns *testnet.NS, d *daemon) {
			p := start(t, d.command(compile(t, linkLoad(t), level)))
			d.awaitActive(2)
			s := ns.Sender(testnet.A)
			in := frame(t, "10.0.0.1", "139.91.145.84", &layers.UDP{SrcPort: 1, DstPort: 2}, make([]byte, 458))
			out := frame(t, "139.91.145.84", "10.0.0.1", &layers.UDP{SrcPort: 1, DstPort: 2}, make([]byte, 958))
			sendAll(t, s, 100, in)
			sendAll(t, s, 300, out)
			sendAll(t, s, 50, testnet.UDP(1, 100))
			bytes := map[string]int{}
			line := regexp.MustCompile(`^(incoming|outgoing): \d+\.\d\d Mbit/s \((\d+) bytes\)$`)
			for bytes["outgoing"] < 300*1000 {
				if m := line.FindStringSubmatch(p.line()); m != nil {
					n, _ := strconv.Atoi(m[2])
					bytes[m[1]] += n
				}
			}
			if bytes["incoming"] != 100*500 || bytes["outgoing"] != 300*1000 {
				t.Errorf("the program prints %v", bytes)
			}
			p.interrupt()
			p.endsWell()
			d.awaitNone()
		})
	})
}

// slapper returns a packet that section 6.3 detects.
func slapper(t testing.TB) []byte {
	payload := append([]byte("....."), "\x00\x00E\x00\x00E\x00\x00@\x00..."...)
	return frame(t, "10.1.2.3", "139.91.23.7", &layers.UDP{SrcPort: 2002, DstPort: 80}, payload)
}

// TestWormWatch runs section 6.3.
func TestWormWatch(t *testing.T) {
	eachOptimization(t, func(t *testing.T, level string) {
		withEth0(t, func(ns *testnet.NS, d *daemon) {
			p := start(t, d.command(compile(t, wormWatch(t), level)))
			d.awaitActive(1)
			s := ns.Sender(testnet.A)
			for range 3 {
				sendAll(t, s, 1, slapper(t))
				sendAll(t, s, 1, frame(t, "10.1.2.3", "139.91.23.7", &layers.UDP{SrcPort: 2002, DstPort: 80}, make([]byte, 60)))
				for _, want := range []string{
					"", "Slapper worm packet!", "02:00:00:00:00:0A -> 02:00:00:00:00:0B", "10.1.2.3 -> 139.91.23.7",
				} {
					if got := p.line(); got != want {
						t.Errorf("the program prints %q, want %q", got, want)
					}
				}
			}
			p.interrupt()
			p.endsWell()
			d.awaitNone()
		})
	})
}

// TestLibraryList runs section 4.
func TestLibraryList(t *testing.T) {
	eachOptimization(t, func(t *testing.T, level string) {
		d := startDaemon(t)
		out, err := d.command(compile(t, libraryList(t), level)).Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if lines[0] != "ID\tName\t# functions" || !strings.HasPrefix(lines[1], "0\tstdflib\t") {
			t.Fatalf("the program prints %s", out)
		}
		n, err := strconv.Atoi(strings.TrimPrefix(lines[1], "0\tstdflib\t"))
		if err != nil || len(lines) < n+2 || lines[2] != "\t\tHASH(i)" || lines[2+n-1] != "\t\tTO_BUFFER(i)" {
			t.Errorf("%v: the program prints %s", err, out)
		}
	})
}

// TestInterruptAnywhere sends Ctrl-C at twenty times from the start of a program to its
// main loop: before the library is loaded, during calls, in a sleep, in a wait. The
// program must end each time and leave no flow behind.
func TestInterruptAnywhere(t *testing.T) {
	const moments = 20
	programs := map[string]func(testing.TB) string{"6.1": packetCount, "6.2": linkLoad, "6.3": wormWatch}
	for name, code := range programs {
		t.Run(name, func(t *testing.T) {
			withEth0(t, func(ns *testnet.NS, d *daemon) {
				path := compile(t, code(t), "-O2")
				begun := time.Now()
				p := start(t, d.command(path))
				d.awaitActive(map[string]int{"6.1": 1, "6.2": 2, "6.3": 1}[name])
				connected := time.Since(begun)
				p.interrupt()
				p.ends()
				for i := range moments {
					p := start(t, d.command(path))
					<-time.After(connected * time.Duration(i) * 5 / 4 / moments)
					p.interrupt()
					state := p.ends()
					status := state.Sys().(syscall.WaitStatus)
					// The signal kills a program that has no handler, or has not installed
					// it yet.
					if !state.Success() && !(status.Signaled() && status.Signal() == syscall.SIGINT) {
						t.Errorf("time %d: %v; stderr: %s", i, state, &p.stderr)
					}
					d.awaitNone()
				}
			})
		})
	}
}
