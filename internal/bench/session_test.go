package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// TestTraffic looks at the frames that traffic marks.
func TestTraffic(t *testing.T) {
	frames := datagrams(frameSize)
	ports := toPorts(portsSent, portsSent)
	for i := range 2 * portsSent {
		ports.mark(frames[i%len(frames)])
	}
	for i, n := range ports.want(0) {
		if n != 2 {
			t.Fatalf("%d packets to port %d, want 2", n, i+1)
		}
	}
	words := tracegen.Strings(3, 1)
	w := withWords(words)
	found := make([]uint64, len(words))
	for i := range 10_000 {
		f := frames[i%len(frames)]
		w.mark(f)
		for j, word := range words {
			if bytes.Contains(f, []byte(word)) {
				found[j]++
			}
		}
	}
	if d := cmp.Diff(w.want(0), found); d != "" || found[0]+found[1]+found[2] != 10 {
		t.Errorf("words in packets: %v, %s", found, d)
	}
	for _, f := range frames {
		if len(f) != frameSize {
			t.Fatalf("a frame of %d bytes", len(f))
		}
	}
}

func TestCompareResults(t *testing.T) {
	for _, c := range []struct {
		got     result
		missing uint64
		want    uint64
		ok      bool
	}{
		{result{got: 5}, 0, 5, true}, {result{got: 4}, 0, 5, false}, {result{got: 6}, 0, 5, false},
		{result{got: 4, lost: 1}, 0, 5, true}, {result{got: 3, lost: 1}, 1, 5, true}, {result{got: 2, lost: 1}, 1, 5, false},
	} {
		err := compareResults([]result{c.got}, total{arrived: 9, missing: c.missing, want: []uint64{c.want}})
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestMissed(t *testing.T) {
	for _, c := range []struct {
		mbit, lost    float64
		sent, arrived uint64
		want          float64
	}{
		{500, 0, 10, 10, 0}, {495, 0, 10, 10, 0}, {250, 0, 10, 10, 50}, {250, 5, 10, 10, 75}, {500, 1, 10, 10, 10}, {500, 0, 10, 9, 10},
	} {
		r := sample{sent: c.sent, arrived: c.arrived, mbit: c.mbit, lost: c.lost}
		if got := missed(500)(r); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%+v: %g", c, got)
		}
	}
}

// TestSend sends at a rate.
func TestSend(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newLink(ns).send(stream{frames: datagrams(frameSize), rate: 4000, packets: 500})
		if r.sent != 500 || r.arrived != 500 || r.rate > 5000 || r.idle < 0 || r.idle > 100 {
			t.Errorf("%+v, want 500 packets at 4,000 a second", r)
		}
	})
}

// TestTcpdumpKeepsTheOwner: tcpdump leaves /dev/null to the system.
func TestTcpdumpKeepsTheOwner(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		before := owner(t)
		new(bench).startTcpdump(t.Context()).stop()
		if after := owner(t); after != before {
			t.Errorf("/dev/null belongs to user and group %v, it was %v", after, before)
			if err := os.Chown(os.DevNull, int(before[0]), int(before[1])); err != nil {
				t.Error(err)
			}
		}
	})
}

func owner(t *testing.T) [2]uint32 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(os.DevNull, &st); err != nil {
		t.Fatal(err)
	}
	return [2]uint32{st.Uid, st.Gid}
}
