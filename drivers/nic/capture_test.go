package nic

import (
	"fmt"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/testnet"
)

func TestFramesArriveOnceInOrder(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		var frames [][]byte
		for i := range uint64(5000) {
			size := testnet.MinTCP + int(i)*37%(1515-testnet.MinTCP)
			if i%2 == 0 {
				frames = append(frames, testnet.UDP(i, size))
			} else {
				frames = append(frames, testnet.TCP(i, size))
			}
		}
		r := newRecorder()
		run := start(t, mustOpen(t, testnet.B, nil), r)
		before := time.Now()
		send(t, ns.Sender(testnet.A), frames...)
		got := r.await(t, len(frames))
		after := time.Now()
		run.stop(t)
		sameFrames(t, got, frames)
		checkTimes(t, got, before, after)
		for i, p := range got {
			if p.Flags != 0 || p.LinkType != 1 || p.IfIndex != 0 || p.Dev != nil || p.Color != 0 {
				t.Fatalf("packet %d: %+v", i, p)
			}
		}
		want := drivers.Stats{Recv: uint64(len(frames)), LinkState: drivers.LinkUp, LastPacketTS: got[len(got)-1].TS}
		if diff := cmp.Diff(want, run.dev.Stats()); diff != "" {
			t.Errorf("stats after close (-want +got):\n%s", diff)
		}
	})
}

func checkTimes(t *testing.T, got []drivers.Packet, before, after time.Time) {
	t.Helper()
	last := pkt.FromTime(before)
	for i, p := range got {
		if p.TS < last || p.TS > pkt.FromTime(after)+1 {
			t.Fatalf("packet %d: time %v, the one before it %v", i, pkt.Time(p.TS), pkt.Time(last))
		}
		last = p.TS
	}
}

func TestLoopbackOnce(t *testing.T) {
	for direction, want := range map[string][]pkt.Flags{
		"":     {0},
		"in":   {0},
		"out":  {pkt.Outgoing},
		"both": {pkt.Outgoing, 0},
	} {
		testnet.Run(t, func(*testnet.NS) {
			params := map[string]string{"direction": direction}
			if direction == "" {
				params = nil
			}
			r := newRecorder()
			run := start(t, mustOpen(t, "lo", params), r)
			sendLocally(t, 3)
			got := r.await(t, 3*len(want))
			run.stop(t)
			if len(got) != 3*len(want) {
				t.Fatalf("direction %q: %d packets for 3 that were sent", direction, len(got))
			}
			for i, p := range got {
				// The kernel does not compute the checksum of local packets.
				if p.Flags != want[i%len(want)]|pkt.CsumNotReady || len(p.Link) != 14+20+8+5 {
					t.Errorf("direction %q: packet %d: flags %b, %d bytes", direction, i, p.Flags, len(p.Link))
				}
			}
		})
	}
}

// sendLocally sends UDP packets with 5 bytes over lo. The destination socket
// prevents ICMP replies; nothing reads from it.
func sendLocally(t *testing.T, n int) {
	t.Helper()
	to, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from, err := net.Dial("udp4", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for range n {
		if _, err := from.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDirection(t *testing.T) {
	outgoing, incoming := testnet.UDP(1, 100), testnet.UDP(2, 200)
	for direction, want := range map[string][][]byte{
		"both": {outgoing, incoming},
		"in":   {incoming},
		"out":  {outgoing},
	} {
		testnet.Run(t, func(ns *testnet.NS) {
			r := newRecorder()
			run := start(t, mustOpen(t, testnet.A, map[string]string{"direction": direction}), r)
			a, b := ns.Sender(testnet.A), ns.Sender(testnet.B)
			for range 10 {
				send(t, a, outgoing)
				send(t, b, incoming)
			}
			got := r.await(t, 10*len(want))
			stats := run.dev.Stats()
			run.stop(t)
			for i, p := range got {
				n, _ := testnet.Number(p.Link)
				if out := n == 1; out != (p.Flags&pkt.Outgoing != 0) {
					t.Errorf("direction %s: packet %d: flags %b", direction, i, p.Flags)
				}
			}
			if len(got) != 10*len(want) || stats.Recv != uint64(len(got)) {
				t.Errorf("direction %s: %d packets, %d counted", direction, len(got), stats.Recv)
			}
			sameFrames(t, got[:len(want)], want)
		})
	}
}

var taggedFrames = map[string][]testnet.Tag{
	"untagged":               nil,
	"802.1Q":                 {{TPID: 0x8100, TCI: 42}},
	"802.1Q with priority":   {{TPID: 0x8100, TCI: 0xe00a}},
	"priority tag":           {{TPID: 0x8100, TCI: 0x6000}},
	"VLAN 0 priority 0":      {{TPID: 0x8100, TCI: 0}},
	"802.1ad":                {{TPID: 0x88a8, TCI: 7}},
	"802.1ad drop eligible":  {{TPID: 0x88a8, TCI: 0x1007}},
	"QinQ":                   {{TPID: 0x88a8, TCI: 7}, {TPID: 0x8100, TCI: 0xa02a}},
	"two 802.1Q tags":        {{TPID: 0x8100, TCI: 1}, {TPID: 0x8100, TCI: 2}},
	"three tags":             {{TPID: 0x88a8, TCI: 1}, {TPID: 0x8100, TCI: 2}, {TPID: 0x8100, TCI: 3}},
	"old QinQ, left as data": {{TPID: 0x9100, TCI: 5}, {TPID: 0x8100, TCI: 6}},
}

func TestVLANTags(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		restored, stripped := newRecorder(), newRecorder()
		run1 := start(t, mustOpen(t, testnet.B, nil), restored)
		run2 := start(t, mustOpen(t, testnet.B, map[string]string{"vlan_tags": "strip"}), stripped)
		s := ns.Sender(testnet.A)
		var asSent, asStripped [][]byte
		for name, tags := range taggedFrames {
			frame := testnet.UDP(uint64(len(asSent)), 200)
			send(t, s, testnet.Tagged(frame, tags...))
			asSent = append(asSent, testnet.Tagged(frame, tags...))
			if len(tags) > 0 && tags[0].TPID != 0x9100 {
				tags = tags[1:]
			}
			asStripped = append(asStripped, testnet.Tagged(frame, tags...))
			got := restored.await(t, len(asSent))
			if want := len(asSent[len(asSent)-1]) != len(asStripped[len(asSent)-1]); want != (got[len(asSent)-1].Flags == pkt.VLANRestored) {
				t.Errorf("%s: flags %b", name, got[len(asSent)-1].Flags)
			}
		}
		sameFrames(t, restored.await(t, len(asSent)), asSent)
		sameFrames(t, stripped.await(t, len(asSent)), asStripped)
		run1.stop(t)
		run2.stop(t)
	})
}

func TestSizesUpToMTU(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.SetMTU(65535)
		var frames [][]byte
		for i, size := range []int{60, 1514, 1518, 9000, 9014, 16000, 32768, 65535} {
			frames = append(frames, testnet.UDP(uint64(i), size))
			frames = append(frames, testnet.Tagged(testnet.UDP(uint64(i), size-10), testnet.Tag{TPID: 0x8100, TCI: 9}))
		}
		r := newRecorder()
		run := start(t, mustOpen(t, testnet.B, nil), r)
		send(t, ns.Sender(testnet.A), frames...)
		sameFrames(t, r.await(t, len(frames)), frames)
		run.stop(t)
	})
}

func TestSnap(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		plain := testnet.UDP(1, 1000)
		tagged := testnet.Tagged(plain, testnet.Tag{TPID: 0x8100, TCI: 9})
		short := testnet.UDP(2, 100)
		frames := [][]byte{plain, tagged, short}
		r := newRecorder()
		dev := mustOpen(t, testnet.B, map[string]string{"snap": "100"})
		run := start(t, dev, r)
		send(t, ns.Sender(testnet.A), frames...)
		got := r.await(t, len(frames))
		run.stop(t)
		for i, p := range got {
			cut := len(frames[i]) > 100
			if string(p.Link) != string(frames[i][:100]) || int(p.Wire) != len(frames[i]) || cut != (p.Flags&pkt.Truncated != 0) {
				t.Errorf("packet %d: %d bytes of %d, flags %b", i, len(p.Link), p.Wire, p.Flags)
			}
		}
		if st := dev.Stats(); st.Truncated != 2 {
			t.Errorf("%d packets counted as truncated, want 2", st.Truncated)
		}
		if !reflect.DeepEqual(dev.Info(), drivers.Info{DevType: "1.3", LinkType: 1, Snap: 100, HostClock: true}) {
			t.Errorf("info: %+v", dev.Info())
		}
	})
}

// TestFrameLargerThanBlock checks that a packet larger than a block is
// truncated by the kernel and counted.
func TestFrameLargerThanBlock(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.SetMTU(30000)
		r := newRecorder()
		dev := mustOpen(t, testnet.B, map[string]string{"block_kb": "16", "ring_mb": "1"})
		run := start(t, dev, r)
		big, small := testnet.UDP(1, 30000), testnet.UDP(2, 100)
		send(t, ns.Sender(testnet.A), big, small)
		got := r.await(t, 2)
		run.stop(t)
		p := got[0]
		if p.Wire != 30000 || len(p.Link) < 16000 || len(p.Link) >= 16384 || p.Flags != pkt.Truncated ||
			string(p.Link) != string(big[:len(p.Link)]) {
			t.Errorf("%d bytes of %d, flags %b", len(p.Link), p.Wire, p.Flags)
		}
		sameFrames(t, got[1:], [][]byte{small})
		if st := dev.Stats(); st.Truncated != 1 {
			t.Errorf("%d packets counted as truncated, want 1", st.Truncated)
		}
	})
}

func TestInterfacesUpInIndexOrder(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.Down(testnet.A)
		names, err := Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"lo", testnet.B}, names); diff != "" {
			t.Errorf("with a down (-want +got):\n%s", diff)
		}
		ns.Up(testnet.A, testnet.B)
		if names, err = Interfaces(); err != nil || len(names) != 3 {
			t.Fatalf("%v, %v", names, err)
		}
		last := 0
		for _, name := range names {
			i, err := net.InterfaceByName(name)
			if err != nil || i.Index <= last {
				t.Errorf("%s is out of order in %s", name, fmt.Sprint(names))
			}
			last = i.Index
		}
	})
}
