package acceptance

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// reaches waits until a counter has a value and reports when it has another at
// the end.
func reaches(t *testing.T, what string, fn *mapi.Function, want uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
	defer cancel()
	for {
		n, err := fn.Uint64()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		if n == want {
			return
		}
		if n > want || ctx.Err() != nil {
			t.Errorf("%s: %d, want %d", what, n, want)
			return
		}
		runtime.Gosched() // counters change without an event, by design
	}
}

// TestLive counts numbered frames that go over a veth pair.
//
//	test ── a ═══ b ── mapid ── shared memory ── test
func TestLive(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t) // inside: the child inherits the thread's namespace
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
		send(500, udp) // these may wait in the ring when the next flows connect
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

// TestVanishedInterface removes the interface under a flow.
func TestVanishedInterface(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t)
		c := d.client()
		f, err := c.CreateFlow(t.Context(), testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		packets, err := f.Apply(t.Context(), "PKT_COUNTER")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := ns.Sender(testnet.A).Send(testnet.UDP(1, 60)); err != nil {
			t.Fatal(err)
		}
		reaches(t, "packets", packets, 1)
		ns.Delete(testnet.B)
		ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
		defer cancel()
		if err := f.Wait(ctx); err == nil || !strings.Contains(err.Error(), testnet.B) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the end of the interface is told as %v", err)
		}
		if f.Status() != mapi.FlowFinished {
			t.Errorf("flow is %v, want finished", f.Status())
		}
		if n, err := packets.Uint64(); n != 1 || err != nil {
			t.Errorf("last result %d, %v", n, err)
		}
		_, err = c.CreateFlow(t.Context(), testnet.B)
		wantCode(t, "flow on the removed interface", err, mapi.ErrPcapOpen)
	})
}
