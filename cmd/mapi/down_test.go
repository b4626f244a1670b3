package main

import (
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"gomapi/internal/testnet"
)

// TestInterfaceThatIsDown counts on an interface that comes up later. It uses
// an alternative name of the interface.
func TestInterfaceThatIsDown(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		link, err := netlink.LinkByName(testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		const alt = "the-other-name-of-b"
		if err := netlink.LinkAddAltName(link, alt); err != nil {
			t.Skip(err)
		}
		ns.Down(testnet.B)
		l := startTool(t, "count", "--private", "--json", "-i", "10ms", "-c", "1", "-d", alt)
		l.next()
		ns.Up(testnet.A, testnet.B)
		if err := ns.Sender(testnet.A).Send(testnet.UDP(1, 100)); err != nil {
			t.Fatal(err)
		}
		if last := l.ends(exitDone); last.Packets != 1 || *last.Device != testnet.B {
			t.Errorf("total: %+v", last)
		}
		if said := l.stderr.String(); !strings.Contains(said, "mapi: b is down; to receive packets: ip link set dev b up\n") {
			t.Errorf("it says %q", said)
		}
	})
}
