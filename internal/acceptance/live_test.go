package acceptance

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// reaches waits until a counter has a value, and fails if it has another value
// at the end.
func reaches(t *testing.T, what string, fn *mapi.Function, want uint64) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) { // counters change without an event, by design
		n, err := fn.Uint64()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		if n == want {
			return
		}
		if n > want || time.Now().After(deadline) {
			t.Errorf("%s: %d, want %d", what, n, want)
			return
		}
	}
}

// TestLive counts numbered frames sent over a veth pair.
//
//	test ── a ═══ b ── mapid ── shared memory ── test
func TestLive(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t) // inside, because the child inherits the thread's namespace
		c := d.client()
		sender := ns.Sender(testnet.A)
		send := func(n int, frame func(i int) []byte) {
			t.Helper()
			for i := range n {
				if err := sender.Send(frame(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		udp := func(i int) []byte { return testnet.UDP(uint64(i), 100) }
		tagged := func(i int) []byte { return testnet.Tagged(udp(i), testnet.Tag{TPID: 0x8100, TCI: 42}) }

		early, err := count(t.Context(), c, testnet.B, "")
		if err != nil {
			t.Fatal(err)
		}
		send(500, udp) // these may still be in the ring when the next flows connect
		flow := func(filter string) *counted {
			t.Helper()
			f, err := count(t.Context(), c, testnet.B, filter)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		all, onlyUDP, onlyTCP, vlan := flow(""), flow("udp"), flow("tcp"), flow("vlan 42 and udp")
		send(300, udp)
		send(200, func(i int) []byte { return testnet.TCP(uint64(i), 1400) })
		send(100, tagged)

		reaches(t, "packets of the early flow", early.packets, 1100)
		reaches(t, "packets of a flow connected later", all.packets, 600)
		reaches(t, "bytes", all.bytes, 300*100+200*1400+100*104)
		reaches(t, "udp", onlyUDP.packets, 300)
		reaches(t, "tcp", onlyTCP.packets, 200)
		reaches(t, "udp behind a tag", vlan.packets, 100)
	})
}

// TestVanishedInterface removes the interface of a flow and restores it: the
// flow continues, and new flows fail meanwhile.
func TestVanishedInterface(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t)
		c := d.client()
		f, err := count(t.Context(), c, testnet.B, "udp")
		if err != nil {
			t.Fatal(err)
		}
		send := func(i uint64) {
			t.Helper()
			if err := ns.Sender(testnet.A).Send(testnet.UDP(i, 60)); err != nil {
				t.Fatal(err)
			}
		}
		send(1)
		ns.Delete(testnet.B) // with the packet in transit
		reaches(t, "packets before", f.packets, 1)
		// mapid delivers the remaining packets before it reports the interface
		// as gone.
		for deadline := time.Now().Add(patience); err == nil && time.Now().Before(deadline); {
			_, err = c.CreateFlow(t.Context(), testnet.B)
		}
		wantCode(t, "flow on the removed interface", err, mapi.ErrPcapOpen)

		ns.AddPair()
		ns.AwaitCapture(testnet.B)
		send(2)
		reaches(t, "packets after", f.packets, 2)
		late, err := count(t.Context(), c, testnet.B, "udp")
		if err != nil {
			t.Fatal(err)
		}
		send(3)
		reaches(t, "packets of a later flow", late.packets, 1)
		reaches(t, "packets of the early flow", f.packets, 3)
	})
}

// TestLinkTypes filters packets without Ethernet header: those of all
// interfaces (cooked), and those of a tun device (raw).
func TestLinkTypes(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		config := filepath.Join(t.TempDir(), "mapi.conf")
		text := "[driver]\ndevice=any\ndriver=mapinicdrv.so\nlatency=low\n[driver]\ndevice=tap\ndriver=mapinicdrv.so\n"
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		tun := newTun(t)
		d := startAt(t, filepath.Join(t.TempDir(), "mapid.sock"), "--config", config)
		c := d.client()
		flow := func(device, filter string) *counted {
			t.Helper()
			f, err := count(t.Context(), c, device, filter)
			if err != nil {
				t.Fatalf("%s, %q: %v", device, filter, err)
			}
			return f
		}
		udp, in, raw, other := flow("any", "udp port 5000"), flow("any", "inbound and udp"), flow("tap", "udp"), flow("tap", "tcp")
		if err := ns.Sender(testnet.A).Send(testnet.UDP(1, 100)); err != nil { // outgoing on a, incoming on b
			t.Fatal(err)
		}
		if _, err := tun.Write(testnet.UDP(2, 100)[14:]); err != nil { // incoming on tap
			t.Fatal(err)
		}
		reaches(t, "any: udp", udp.packets, 3)
		reaches(t, "any: inbound udp", in.packets, 2)
		reaches(t, "tun: udp", raw.packets, 1)
		reaches(t, "tun: bytes", raw.bytes, 86)
		reaches(t, "tun: tcp", other.packets, 0)
	})
}

// newTun creates the tun device "tap", up.
func newTun(t *testing.T) *os.File {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "tap"
	tun := &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TUN, Flags: unix.IFF_NO_PI, Queues: 1, NonPersist: true}
	if err := netlink.LinkAdd(tun); err != nil {
		t.Fatal(err)
	}
	f := tun.Fds[0]
	t.Cleanup(func() { f.Close() })
	if err := netlink.LinkSetUp(tun); err != nil {
		t.Fatal(err)
	}
	return f
}
