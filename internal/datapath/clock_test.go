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

// pauses makes the loop pause at the times that it asks for, and returns how often it did.
func pauses(t *testing.T, l *Loop, hold time.Duration) (n int) {
	t.Helper()
	for again := l.Pause(0, hold); !again.IsZero(); again = l.Pause(0, hold) {
		if n++; n > 100 || time.Until(again) > time.Minute {
			t.Fatalf("pause %d is wanted at %v", n, again)
		}
		time.Sleep(time.Until(again))
	}
	return n
}

// If packets have the time of the host's clock, packet time begins without a packet.
func TestPacketTimeBeginsWithThePause(t *testing.T) {
	for _, hold := range []time.Duration{0, 20 * time.Millisecond} {
		l := New(Options{LinkType: 1, Live: true, HostClock: true})
		l.Run()
		a := &alarm{after: pkt.Ticks(50 * time.Millisecond)}
		l.Connect(chainOf(1, of(a)), false)
		begin := time.Now()
		n := pauses(t, l, hold)
		took := time.Since(begin)
		if len(a.called) != 2 || a.called[1]-a.called[0] < a.after || took < 50*time.Millisecond || n > 5 {
			t.Errorf("hold %v: called at %d after %v and %d pauses", hold, a.called, took, n)
		}
	}
}

// Silence counts, also that from before a function waits. Without a packet, packet time of another
// clock does not begin, and if the device cannot tell, it stands still.
func TestPacketTimeInSilence(t *testing.T) {
	l := New(Options{LinkType: 1, Live: true})
	l.Run()
	a := &alarm{after: pkt.Ticks(20 * time.Millisecond)}
	l.Connect(chainOf(1, of(a)), false)
	if n := pauses(t, l, 0); n != 0 || len(a.called) != 0 {
		t.Errorf("%d pauses, called at %d before the first packet", n, a.called)
	}
	pkts := packets(1)
	pkts[0].TS = 1 << 40 // of any clock
	l.Batch(pkts)
	if n := pauses(t, l, -1); n != 0 {
		t.Errorf("%d pauses while packet time stands still", n)
	}
	if pauses(t, l, 0); len(a.called) != 2 {
		t.Errorf("called at %d", a.called)
	}
	time.Sleep(100 * time.Millisecond)
	late := &alarm{after: 0}
	l.Connect(chainOf(2, of(late)), false)
	pauses(t, l, 0)
	if elapsed := late.called[0] - a.called[0]; elapsed < pkt.Ticks(100*time.Millisecond) {
		t.Errorf("only %v of silence have passed", pkt.Duration(elapsed))
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
