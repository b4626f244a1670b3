package nic

import (
	"testing"

	"github.com/vishvananda/netlink"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/testnet"
)

// TestNameGoesToAnother renames an interface and gives its name to another. The
// device switches to the latter, without losing packets of the former.
func TestNameGoesToAnother(t *testing.T) {
	for _, params := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			r := newRecorder()
			dev, said := openLogged(t, testnet.B, params)
			run := start(t, dev, r)
			ns.Rename(testnet.A, "x")
			ns.Rename(testnet.B, "y")
			ns.Up("x", "y")
			old := ns.Sender("x")
			frames := [][]byte{testnet.UDP(0, 100), testnet.UDP(1, 100)}
			send(t, old, frames...)
			ns.AddPair()
			ns.AwaitCapture(testnet.B)
			ns.Await("y", func(a *netlink.LinkAttrs) bool { return a.Promisc == 0 })
			send(t, old, testnet.UDP(1000, 100), testnet.UDP(1001, 100))
			for i := range uint64(7) {
				frames = append(frames, testnet.UDP(2+i, 100))
			}
			send(t, ns.Sender(testnet.A), frames[2:]...)
			got := r.await(t, len(frames))
			run.stop(t)
			sameFrames(t, got, frames)
			if got[1].Flags != 0 || got[2].Flags != pkt.GapBefore {
				t.Errorf("flags %b, %b", got[1].Flags, got[2].Flags)
			}
			if st := dev.Stats(); st.Reopens != 1 || st.Recv != uint64(len(frames)) {
				t.Errorf("stats %+v", st)
			}
			said.wants(t, "another interface is named b now")
		})
	}
}

// TestAlternativeNames opens an interface by alternative names, including names
// longer than a primary name can be.
func TestAlternativeNames(t *testing.T) {
	for _, alt := range []string{"short-alt", "an-alternative-name-that-is-long"} {
		testnet.Run(t, func(ns *testnet.NS) {
			link, err := netlink.LinkByName(testnet.B)
			if err != nil {
				t.Fatal(err)
			}
			if err := netlink.LinkAddAltName(link, alt); err != nil {
				t.Skip(err)
			}
			if own, err := Resolve(alt); own != testnet.B || err != nil {
				t.Errorf("%s is %q, %v", alt, own, err)
			}
			r := newRecorder()
			dev, said := openLogged(t, alt, nil)
			run := start(t, dev, r)
			ns.Down(testnet.B) // an event that triggers a look at the name
			ns.Up(testnet.A, testnet.B)
			send(t, ns.Sender(testnet.A), testnet.UDP(0, 100))
			sameFrames(t, r.await(t, 1), [][]byte{testnet.UDP(0, 100)})
			run.stop(t)
			if len(said.lines) > 0 {
				t.Errorf("it says %q", said.lines)
			}
			if err := (Driver{}).Find(drivers.Config{Device: alt}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestInterfaceThatIsDown waits for an interface that is down.
func TestInterfaceThatIsDown(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.Down(testnet.B)
		r := newRecorder()
		dev, said := openLogged(t, testnet.B, nil)
		said.wants(t, "interface b is down", "ip link set dev b up")
		run := start(t, dev, r)
		ns.Up(testnet.A, testnet.B)
		send(t, ns.Sender(testnet.A), testnet.UDP(0, 100))
		r.await(t, 1)
		run.stop(t)
		if own, err := Resolve(testnet.B); own != testnet.B || err != nil {
			t.Errorf("%q, %v", own, err)
		}
	})
}

// TestLongFramesOfFormerInterface checks that long frames of the former
// interface do not count for the next one.
func TestLongFramesOfFormerInterface(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.SetMTU(9000)
		r := newRecorder()
		dev, said := openLogged(t, testnet.B, nil)
		run := start(t, dev, r)
		send(t, ns.Sender(testnet.A), testnet.UDP(0, 8000))
		r.await(t, 1)
		ns.Delete(testnet.B)
		ns.AddPair()
		ns.AwaitCapture(testnet.B)
		send(t, ns.Sender(testnet.A), testnet.UDP(1, 100))
		r.await(t, 2)
		run.stop(t)
		if said.has("merged") {
			t.Errorf("unmerged frames are reported: %q", said.lines)
		}
	})
}
