package nic

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/testnet"
)

// newTun creates a tun device of the given hardware type, up. Each packet
// follows 4 bytes: flags, EtherType (linux/if_tun.h, struct tun_pi).
func newTun(t testing.TB, name string, arphrd int) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	fd := int(f.Fd())
	req, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		t.Fatalf("make a tun device: %v", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETLINK, arphrd); err != nil {
		t.Fatalf("set the hardware type to %d: %v", arphrd, err)
	}
	control, err := openControl()
	if err != nil {
		t.Fatal(err)
	}
	defer control.close()
	flags, err := control.ask(name, unix.SIOCGIFFLAGS)
	if err != nil {
		t.Fatal(err)
	}
	flags.SetUint16(flags.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(int(control), unix.SIOCSIFFLAGS, flags); err != nil {
		t.Fatalf("bring the tun device up: %v", err)
	}
	return f
}

func receiveOn(t testing.TB, tun *os.File, etherType uint16, packet []byte) {
	t.Helper()
	head := binary.BigEndian.AppendUint16([]byte{0, 0}, etherType)
	if _, err := tun.Write(append(head, packet...)); err != nil {
		t.Fatal(err)
	}
}

// ipOf returns the IP packet in a frame of testnet.
func ipOf(frame []byte) []byte { return frame[14:] }

// TestLinkTypes checks the packet format for each hardware type. tun devices
// simulate all of them.
func TestLinkTypes(t *testing.T) {
	for _, c := range []struct {
		arphrd int
		dlt    uint16
		header string // before the packet
	}{
		{unix.ARPHRD_NONE, 12, ""},
		{unix.ARPHRD_RAWIP, 12, ""},
		{unix.ARPHRD_PPP, 113, "0000 0200 0000 0000000000000000 0800"},
		{unix.ARPHRD_TUNNEL, 113, "0000 0300 0000 0000000000000000 0800"},
		{unix.ARPHRD_TUNNEL6, 113, "0000 0301 0000 0000000000000000 0800"},
		{unix.ARPHRD_SIT, 113, "0000 0308 0000 0000000000000000 0800"},
		{unix.ARPHRD_IPGRE, 113, "0000 030a 0000 0000000000000000 0800"},
		{unix.ARPHRD_IEEE80211, 105, ""},
		{unix.ARPHRD_IEEE80211_PRISM, 119, ""},
		{unix.ARPHRD_IEEE80211_RADIOTAP, 127, ""},
	} {
		for _, params := range latencies {
			t.Run(fmt.Sprint(c.arphrd, params["latency"]), func(t *testing.T) {
				testnet.Run(t, func(*testnet.NS) {
					tun := newTun(t, "t0", c.arphrd)
					r := newRecorder()
					dev := mustOpen(t, "t0", params)
					if dev.Info().LinkType != c.dlt {
						t.Fatalf("link type %d, want %d", dev.Info().LinkType, c.dlt)
					}
					run := start(t, dev, r)
					packet := ipOf(testnet.UDP(7, 200))
					receiveOn(t, tun, unix.ETH_P_IP, packet)
					p := r.await(t, 1)[0]
					run.stop(t)
					want := append(unhex(t, c.header), packet...)
					// tun devices have no hardware address, so the header has
					// none.
					if !bytes.Equal(p.Link, want) || int(p.Wire) != len(want) || p.LinkType != c.dlt || p.Flags != 0 {
						t.Errorf("%+v\n%x, want\n%x", p, p.Link, want)
					}
				})
			})
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(string(bytes.ReplaceAll([]byte(s+"_"), []byte(" "), nil)), "%x_", &b); err != nil && s != "" {
		t.Fatal(err)
	}
	return b
}

// TestLinkTypesAsTcpdump compares packets in both directions with tcpdump, on
// raw and cooked interfaces and on "any".
func TestLinkTypesAsTcpdump(t *testing.T) {
	tcpdump := needTcpdump(t)
	for _, c := range []struct {
		device, dlt string
		arphrd      int
	}{
		{"t0", "RAW", unix.ARPHRD_NONE},
		{"t0", "LINUX_SLL", unix.ARPHRD_IPGRE},
		{"any", "LINUX_SLL2", unix.ARPHRD_NONE},
	} {
		for _, params := range latencies {
			t.Run(c.device+c.dlt+params["latency"], func(t *testing.T) {
				testnet.Run(t, func(ns *testnet.NS) {
					tun := newTun(t, "t0", c.arphrd)
					file := filepath.Join(t.TempDir(), "seen.pcap")
					const n = 100
					cmd := exec.Command(tcpdump, "-n", "-i", c.device, "-y", c.dlt, "-w", file, "-U", "-Z", "root", "-c", strconv.Itoa(2*n))
					listening(t, cmd)
					r := newRecorder()
					run := start(t, mustOpen(t, c.device, params), r)
					out := ns.Sender("t0")
					for i := range uint64(n) {
						packet := ipOf(testnet.UDP(i, 60+int(i)*13))
						receiveOn(t, tun, unix.ETH_P_IP, packet)
						send(t, out, packet)
					}
					got := r.await(t, 2*n)
					run.stop(t)
					if err := cmd.Wait(); err != nil {
						t.Fatalf("tcpdump: %v", err)
					}
					sameFrames(t, got, readPcap(t, file))
					for i, p := range got {
						if out := i%2 == 1; out != (p.Flags&pkt.Outgoing != 0) {
							t.Errorf("packet %d: flags %b", i, p.Flags)
						}
					}
				})
			})
		}
	}
}

// TestAnyAsTcpdump compares Ethernet frames of several kinds on "any" with
// tcpdump.
func TestAnyAsTcpdump(t *testing.T) {
	tcpdump := needTcpdump(t)
	arp := slices.Concat(testnet.MACofB, testnet.MACofA, []byte{8, 6}, make([]byte, 46))
	llc := slices.Concat(testnet.MACofB, testnet.MACofA, []byte{0, 46, 0x42, 0x42, 3}, make([]byte, 43))
	novell := slices.Concat(testnet.MACofB, testnet.MACofA, []byte{0, 46, 0xff, 0xff}, make([]byte, 44))
	broadcast := slices.Concat([]byte{255, 255, 255, 255, 255, 255}, arp[6:])
	multicast := slices.Concat([]byte{1, 0, 0x5e, 0, 0, 1}, testnet.UDP(1, 200)[6:])
	other := slices.Concat([]byte{2, 9, 9, 9, 9, 9}, testnet.TCP(1, 200)[6:])
	frames := [][]byte{arp, llc, novell, broadcast, multicast, other, testnet.UDP(2, 60), testnet.TCP(3, 1514)}
	for _, params := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			file := filepath.Join(t.TempDir(), "seen.pcap")
			cmd := exec.Command(tcpdump, "-n", "-i", "any", "-y", "LINUX_SLL2", "-w", file, "-U", "-Z", "root", "-c", strconv.Itoa(2*len(frames)))
			listening(t, cmd)
			r := newRecorder()
			run := start(t, mustOpen(t, "any", params), r)
			send(t, ns.Sender(testnet.A), frames...)
			got := r.await(t, 2*len(frames))
			run.stop(t)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("tcpdump: %v", err)
			}
			sameFrames(t, got, readPcap(t, file))
		})
	}
}

func needTcpdump(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("tcpdump")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// TestAny checks the device "any": Ethernet with its tags, loopback once, new
// interfaces, and a link state that never changes.
func TestAny(t *testing.T) {
	for _, params := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			r := newRecorder()
			dev := mustOpen(t, "any", params)
			if want := (drivers.Info{DevType: "1.3", LinkType: 276, Snap: drivers.MaxSnap, HostClock: true}); !reflect.DeepEqual(dev.Info(), want) {
				t.Errorf("info %+v", dev.Info())
			}
			run := start(t, dev, r)
			for name, tags := range taggedFrames {
				before := len(r.packets())
				frame := testnet.UDP(1, 100)
				send(t, ns.Sender(testnet.A), testnet.Tagged(frame, tags...))
				got := r.await(t, before+2)[before:] // outgoing on a, incoming on b
				for _, p := range got {
					tagged := testnet.Tagged(frame, tags...)
					if want := tagged[14:]; !bytes.Equal(p.Link[20:], want) || !bytes.Equal(p.Link[:2], tagged[12:14]) {
						t.Errorf("%s: %x", name, p.Link)
					}
					if int(p.Wire) != 20+len(tagged)-14 || p.LinkType != 276 {
						t.Errorf("%s: %d bytes, link type %d", name, p.Wire, p.LinkType)
					}
				}
			}
			before := len(r.packets())
			sendLocally(t, 3)
			r.await(t, before+3)
			receiveOn(t, newTun(t, "t0", unix.ARPHRD_NONE), unix.ETH_P_IP, ipOf(testnet.UDP(2, 100)))
			ns.Delete(testnet.A)
			sendLocally(t, 1)
			got := r.await(t, before+5)[before:]
			run.stop(t)
			if len(got) != 5 {
				t.Errorf("%d packets; those of loopback twice?", len(got))
			}
			if st := dev.Stats(); st.LinkState != drivers.LinkUp || st.Recv != uint64(before+5) {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// TestWireGuard captures packets without link header. It is skipped if the
// kernel lacks WireGuard.
func TestWireGuard(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		if out, err := exec.Command("ip", "link", "add", "wg0", "type", "wireguard").CombinedOutput(); err != nil {
			t.Skipf("this kernel has no WireGuard: %s", out)
		}
		if got := mustOpen(t, "wg0", tinyRing).Info().LinkType; got != pkt.DLTRaw {
			t.Errorf("link type %d", got)
		}
	})
}

// TestTunnels captures from tunnels, if the kernel supports them.
func TestTunnels(t *testing.T) {
	for kind, args := range map[string][]string{
		"dummy": nil,
		"gre":   {"local", "10.0.0.1", "remote", "10.0.0.2"},
		"sit":   {"local", "10.0.0.1", "remote", "10.0.0.2"},
		"ipip":  {"local", "10.0.0.1", "remote", "10.0.0.2"},
		"vxlan": {"id", "7", "remote", "10.0.0.2", "dstport", "4789"},
	} {
		t.Run(kind, func(t *testing.T) {
			testnet.Run(t, func(*testnet.NS) {
				args := append([]string{"link", "add", "t0", "type", kind}, args...)
				if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
					t.Skipf("this kernel has no %s: %s", kind, out)
				}
				want := uint16(pkt.DLTLinuxSLL)
				if kind == "dummy" || kind == "vxlan" {
					want = pkt.DLTEthernet
				}
				if got := mustOpen(t, "t0", tinyRing).Info().LinkType; got != want {
					t.Errorf("link type %d, want %d", got, want)
				}
			})
		})
	}
}
