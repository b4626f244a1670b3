package datapath

import (
	"sync/atomic"
	"testing"
	"time"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// alarm wants to be called a while after it is asked for the first time.
type alarm struct {
	after  uint64
	at     uint64
	called []uint64
}

func (a *alarm) Process(in []*pkt.Packet) []*pkt.Packet { return in }
func (a *alarm) Deadline() uint64                       { return a.at }
func (a *alarm) Expire(now uint64) []*pkt.Packet {
	if a.called = append(a.called, now); len(a.called) == 1 {
		a.at = now + a.after
	} else {
		a.at = flib.NoDeadline
	}
	return nil
}

// noon is a time of the host's clock. In these tests it goes on only from pause to pause.
var noon = time.Unix(1_700_000_000, 0)

// pauses makes the loop pause at now and at the times that it asks for. It returns how often
// the loop asked, and the time of the last pause.
func pauses(t *testing.T, l *Loop, now time.Time, hold time.Duration) (n int, last time.Time) {
	t.Helper()
	for again := l.pause(now, 0, hold); !again.IsZero(); again = l.pause(now, 0, hold) {
		if n++; n > 100 || again.Sub(now) < minTick || again.Sub(now) > time.Minute {
			t.Fatalf("pause %d is wanted %v after the one before", n, again.Sub(now))
		}
		now = again
	}
	return n, now
}

// nearly reports whether ticks are d but for rounding.
func nearly(ticks uint64, d time.Duration) bool {
	return (pkt.Duration(ticks) - d).Abs() < time.Microsecond
}

// If packets have the time of the host's clock, packet time begins without a packet.
func TestPacketTimeBeginsWithThePause(t *testing.T) {
	for _, hold := range []time.Duration{0, 20 * time.Millisecond} {
		l := New(Options{LinkType: 1, Live: true, HostClock: true})
		l.Run()
		a := &alarm{after: pkt.Ticks(50 * time.Millisecond)}
		l.Connect(chainOf(1, of(a)), false)
		n, last := pauses(t, l, noon, hold)
		if len(a.called) != 2 || n != 1 {
			t.Fatalf("hold %v: called at %d, %d pauses", hold, a.called, n)
		}
		if a.called[0] != pkt.FromTime(noon.Add(-hold)) || !nearly(a.called[1]-a.called[0], 50*time.Millisecond) {
			t.Errorf("hold %v: called at %d", hold, a.called)
		}
		if (last.Sub(noon) - 50*time.Millisecond).Abs() > time.Microsecond {
			t.Errorf("hold %v: the last pause is after %v", hold, last.Sub(noon))
		}
	}
}

// Silence counts, also that from before a function waits. Without a packet, packet time of another
// clock does not begin, and if the device cannot tell, it stands still.
func TestPacketTimeInSilence(t *testing.T) {
	const sent = 1 << 40 // packet time of any clock
	l := New(Options{LinkType: 1, Live: true})
	l.Run()
	a := &alarm{after: pkt.Ticks(20 * time.Millisecond)}
	l.Connect(chainOf(1, of(a)), false)
	if n, _ := pauses(t, l, noon, 0); n != 0 || len(a.called) != 0 {
		t.Errorf("%d pauses, called at %d before the first packet", n, a.called)
	}
	pkts := packets(1)
	pkts[0].TS = sent
	l.Batch(pkts)
	if n, _ := pauses(t, l, noon.Add(time.Hour), -1); n != 0 || len(a.called) != 1 {
		t.Errorf("%d pauses, called at %d while packet time stands still", n, a.called)
	}
	_, last := pauses(t, l, noon, 0) // the first after the packet
	if len(a.called) != 2 || a.called[0] != sent || !nearly(a.called[1]-sent, 20*time.Millisecond) {
		t.Errorf("called at %d", a.called)
	}
	late := &alarm{after: 0}
	l.Connect(chainOf(2, of(late)), false)
	pauses(t, l, last.Add(100*time.Millisecond), 0)
	if len(late.called) == 0 || !nearly(late.called[0]-a.called[1], 100*time.Millisecond) {
		t.Errorf("called at %d after 100 ms of silence since %d", late.called, a.called[1])
	}
}

// Packet time is the newest of all packets, and never goes back.
func TestNewestOfUnorderedPackets(t *testing.T) {
	for _, lockstep := range []bool{false, true} {
		var last [2]uint64
		for i, size := range []int{1, 4} {
			l := New(Options{LinkType: 1})
			l.Run()
			a := &alarm{at: 80}
			l.Connect(chainOf(1, of(a)), lockstep)
			pkts := packets(4)
			for j, ts := range []uint64{100, 10, 20, 30} {
				pkts[j].TS = ts
			}
			for len(pkts) > 0 {
				l.Batch(pkts[:size])
				pkts = pkts[size:]
			}
			if len(a.called) == 0 {
				t.Fatalf("lockstep %v, batches of %d: not called", lockstep, size)
			}
			last[i] = a.called[0]
		}
		if last != [2]uint64{100, 100} {
			t.Errorf("lockstep %v: called at %d, want 100", lockstep, last)
		}
	}
}

// A function that fails while it waits for a client does not leave the loop marked as waiting.
func TestFaultWhileParked(t *testing.T) {
	l := New(Options{LinkType: 1, Fault: func(*chain.Fault, []*chain.Chain) {}})
	l.Run()
	var ran atomic.Bool
	bad := of(nil)
	bad.Fn = process(func(in []*pkt.Packet) []*pkt.Packet {
		l.Park(bad, func() { panic("no paper") })
		return in
	})
	l.Connect(chainOf(1, bad), false)
	l.Connect(chainOf(2, of(process(func(in []*pkt.Packet) []*pkt.Packet {
		ran.Store(true)
		if l.Parked() {
			t.Error("the loop is parked")
		}
		return in
	}))), false)
	l.Batch(packets(1))
	if !ran.Load() {
		t.Error("the next chain did not run")
	}
}
