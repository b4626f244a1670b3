package nic

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
)

// said collects what a device logs.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) log(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// has reports whether a line contains all these words.
func (s *said) has(words ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

func (s *said) wants(t *testing.T, words ...string) {
	t.Helper()
	if !s.has(words...) {
		t.Errorf("no line with %q in %q", words, s.lines)
	}
}

func openLogged(t testing.TB, name string, params map[string]string) (drivers.Device, *said) {
	t.Helper()
	s := new(said)
	dev, err := Driver{}.Open(t.Context(), drivers.Config{Device: name, Params: params, Log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev, s
}

// Both kinds of ring.
var latencies = []map[string]string{{"latency": "efficient"}, {"latency": "low"}}

// TestInterfaceComesBack removes and creates the interface several times, up or
// down. No packet sent while the interface exists may be lost, and the books
// continue.
func TestInterfaceComesBack(t *testing.T) {
	for _, params := range latencies {
		for _, down := range []bool{false, true} {
			testnet.Run(t, func(ns *testnet.NS) {
				r := newRecorder()
				dev, said := openLogged(t, testnet.B, params)
				run := start(t, dev, r)
				var frames [][]byte
				const rounds = 3
				for round := range rounds {
					if round > 0 {
						if st := dev.Stats().LinkState; st != drivers.LinkAbsent {
							t.Errorf("while away the link is %v", st)
						}
						ns.AddPair()
						ns.AwaitCapture(testnet.B)
					}
					s := ns.Sender(testnet.A)
					for range 10 {
						f := testnet.UDP(uint64(len(frames)), 100)
						frames = append(frames, f)
						send(t, s, f)
					}
					if down {
						ns.Down(testnet.B)
					}
					ns.Delete(testnet.B) // with packets in an open block
				}
				got := r.await(t, len(frames))
				run.stop(t)
				sameFrames(t, got, frames)
				for i, p := range got {
					if gap := i > 0 && i%10 == 0; gap != (p.Flags&pkt.GapBefore != 0) {
						t.Errorf("packet %d: flags %b", i, p.Flags)
					}
				}
				st := dev.Stats()
				if st.Recv != uint64(len(frames)) || st.Reopens != rounds-1 || st.LinkState != drivers.LinkAbsent {
					t.Errorf("stats %+v", st)
				}
				said.wants(t, "interface b is gone")
				said.wants(t, "interface b is back")
			})
		}
	}
}

// TestResultsWhileAway checks that results are complete while the interface is
// away, which may be long.
func TestResultsWhileAway(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newRecorder()
		run := start(t, mustOpen(t, testnet.B, nil), r)
		send(t, ns.Sender(testnet.A), testnet.UDP(0, 100))
		ns.Delete(testnet.B)
		select {
		case n := <-r.complete:
			if n != 1 {
				t.Errorf("after %d packets, want 1", n)
			}
		case <-time.After(testnet.Patience):
			t.Error("results are delayed")
		}
		run.stop(t)
	})
}

// A pacemaker is a Sink that asks for pauses while the interface is away.
type pacemaker struct {
	discard
	away   func() bool
	asked  time.Time // the zero time: nothing was asked for
	ticks  int       // pauses that came when they were due
	early  int       // pauses that came before
	holds  []time.Duration
	enough chan struct{} // closed after some ticks; then none is asked for
	idle   atomic.Int64  // pauses after that
}

func (p *pacemaker) Pause(_, hold time.Duration) time.Time {
	const ticks = 5
	now := time.Now()
	switch {
	case !p.away():
		return time.Time{}
	case p.ticks == ticks:
		p.idle.Add(1)
		return time.Time{}
	case now.Before(p.asked):
		p.early++
		return p.asked
	case !p.asked.IsZero():
		p.ticks++
		p.holds = append(p.holds, hold)
	}
	if p.ticks == ticks {
		close(p.enough)
		return time.Time{}
	}
	p.asked = now.Add(20 * time.Millisecond)
	return p.asked
}

// TestPausesWhileAway checks that the device calls Pause at the times that it
// returns while the interface is away, and does not wake up otherwise.
func TestPausesWhileAway(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dev := mustOpen(t, testnet.B, nil)
		p := &pacemaker{away: dev.(drivers.Presence).Absent, enough: make(chan struct{})}
		run := start(t, dev, p)
		send(t, ns.Sender(testnet.A), testnet.UDP(0, 100))
		ns.Delete(testnet.B)
		testenv.Within(t, "pauses while the interface is away", func() { <-p.enough })
		before := p.idle.Load()
		time.Sleep(100 * time.Millisecond) // a device that polls would call it in this time
		if n := p.idle.Load() - before; n > 2 {
			t.Errorf("%d pauses although none was asked for", n)
		}
		run.stop(t)
		if p.early > 20 {
			t.Errorf("%d pauses came before they were due", p.early)
		}
		for _, h := range p.holds {
			if h < 0 || h > time.Second {
				t.Errorf("hold %v", h)
			}
		}
	})
}

// TestOthersComeWhileAway checks that interfaces with other names do not end
// the wait.
func TestOthersComeWhileAway(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newRecorder()
		dev := mustOpen(t, testnet.B, tinyRing)
		run := start(t, dev, r)
		ns.Delete(testnet.B)
		for range 20 {
			tap := newTap(t, netlink.TUNTAP_MODE_TAP)
			tap.Close()
		}
		ns.AddPair()
		ns.AwaitCapture(testnet.B)
		send(t, ns.Sender(testnet.A), testnet.UDP(1, 100))
		r.await(t, 1)
		run.stop(t)
		if st := dev.Stats(); st.Reopens != 1 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestInterfaceRenamed(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newRecorder()
		dev, said := openLogged(t, testnet.B, nil)
		run := start(t, dev, r)
		s := ns.Sender(testnet.A)
		send(t, s, testnet.UDP(0, 100))
		ns.Rename(testnet.B, "c")
		ns.Up(testnet.A)
		send(t, s, testnet.UDP(1, 100))
		r.await(t, 2)
		ns.Delete("c")
		ns.AddPair() // with the name of the configuration
		ns.AwaitCapture(testnet.B)
		send(t, ns.Sender(testnet.A), testnet.UDP(2, 100))
		got := r.await(t, 3)
		run.stop(t)
		sameFrames(t, got, [][]byte{testnet.UDP(0, 100), testnet.UDP(1, 100), testnet.UDP(2, 100)})
		if got[1].Flags != 0 || got[2].Flags != pkt.GapBefore {
			t.Errorf("flags %b, %b", got[1].Flags, got[2].Flags)
		}
		said.wants(t, "interface b is now called c")
		said.wants(t, "interface b is back")
	})
}

func TestComesBackAsAnother(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		run := start(t, mustOpen(t, testnet.B, nil), new(discard))
		ns.Delete(testnet.B)
		newTun(t, testnet.B, 65534)
		err := run.end(t)
		if !errors.Is(err, errOtherLink) || mapierr.CodeOf(err, 0) != mapierr.NICThread {
			t.Errorf("returned as a tun device: %v", err)
		}
	})
}

func TestLinkState(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dev := mustOpen(t, testnet.B, tinyRing)
		run := start(t, dev, new(discard))
		wants := func(want drivers.LinkState) {
			t.Helper()
			if got := dev.Stats().LinkState; got != want {
				t.Errorf("link is %v, want %v", got, want)
			}
		}
		wants(drivers.LinkUp)
		ns.Down(testnet.A)
		ns.Await(testnet.B, func(a *netlink.LinkAttrs) bool { return a.OperState != netlink.OperUp })
		wants(drivers.LinkNoCarrier)
		ns.Down(testnet.B)
		wants(drivers.LinkDown)
		ns.Up(testnet.A, testnet.B)
		wants(drivers.LinkUp)
		ns.Delete(testnet.B)
		wants(drivers.LinkAbsent)
		run.stop(t)
		wants(drivers.LinkAbsent)
	})
}

func TestBackoff(t *testing.T) {
	var b backoff
	now := time.Unix(1000, 0)
	for i, want := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		if got := b.left(now); got != want {
			t.Errorf("before attempt %d: %v, want %v", i, got, want)
		}
		now = now.Add(b.left(now))
		b.tried(now)
	}
	now = now.Add(time.Minute)
	if got := b.left(now); got != 0 {
		t.Errorf("after a quiet minute: %v", got)
	}
	b.tried(now)
	if got := b.left(now); got != firstDelay {
		t.Errorf("after a quiet minute and an attempt: %v", got)
	}
}
