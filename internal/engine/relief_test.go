package engine

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
	"gomapi/internal/shm"
	"gomapi/internal/testenv"
)

// burning is a library with a function that takes a while for each list of packets.
func burning(each time.Duration) flib.Library {
	return library(map[string]*script{"BURN": {process: func(in []*flib.Packet) []*flib.Packet {
		for start := time.Now(); time.Since(start) < each; {
		}
		return in
	}}})
}

// easy is a fullness at which nobody is passed by, and nobody comes back.
const easy = (share.Empty + share.Filling) / 2

// rivals are the flows of two users on a device, one of which burns time.
type rivals struct {
	*bed
	dear, cheap *client
	burns, fds  []int32 // of dear
	victims     []int32 // of cheap
	counters    []*shm.Reader
	sent        uint64
}

func newRivals(t *testing.T, libs ...flib.Library) *rivals {
	b := newBed(t, libs...)
	r := &rivals{bed: b, dear: b.client(2), cheap: b.client(1)}
	for _, functions := range [][][]any{
		{fn("PKT_COUNTER")}, {fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER")},
		{fn("BPF_FILTER", "udp"), fn("STR_SEARCH", "|00 01|", int64(0), int64(0)), fn("PKT_COUNTER")},
	} {
		for range 10 {
			fd, results := r.cheap.connected(functions...)
			r.victims = append(r.victims, fd)
			r.counters = append(r.counters, results[len(results)-1])
			fd, _ = r.dear.connected(functions...)
			r.fds = append(r.fds, fd)
		}
	}
	for i := range 20 {
		fd, _ := r.dear.flow(fn("PKT_COUNTER"), fn("BURN"), fn("PKT_COUNTER"))
		if i == 0 {
			r.dear.inLockstep(fd)
		}
		if err := r.dear.Connect(t.Context(), fd); err != nil {
			t.Fatal(err)
		}
		r.burns = append(r.burns, fd)
	}
	r.merged()
	return r
}

// batch is packets that all filters and strings of the flows let through.
func (r *rivals) batch(n int) (pkts []drivers.Packet) {
	for range n {
		pkts = append(pkts, udp(53, 1))
	}
	return pkts
}

// atOnce is how many packets a batch has.
const atOnce = 4

// send sends some packets while the device is full to some percent.
func (r *rivals) send(fullness int) {
	r.t.Helper()
	r.source.SetFullness(fullness)
	pkts := r.batch(atOnce)
	if err := r.source.Send(pkts...); err != nil {
		r.t.Fatal(err)
	}
	r.sent += uint64(len(pkts))
}

// overload lets the device fill until some share is passed by.
func (r *rivals) overload() {
	r.t.Helper()
	full := share.Filling
	testenv.Until(r.t, "somebody is passed by", func() bool {
		r.send(full)
		full = min(full+5, 100)
		return r.passed(r.dear) || r.passed(r.cheap)
	})
}

// passed reports whether the flows of a client are passed by.
func (r *rivals) passed(c *client) bool {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	return r.engine.devices[0].cur.stakeLocked(c.Session).Passed()
}

// check checks that the victims have got all packets, and that the books of all flows balance.
// It returns how many packets the flows of dear have missed.
func (r *rivals) check() (missed uint64) {
	r.t.Helper()
	r.send(easy)
	for _, c := range r.counters {
		wantCount(r.t, "a flow of the other user", c, r.sent)
	}
	r.cheap.balance(r.victims)
	r.dear.balance(slices.Concat(r.fds, r.burns))
	for _, f := range r.cheap.Flows() {
		if n := lineOf(f.Books, books.LostShare); n != 0 {
			r.t.Errorf("a flow of the other user has missed %d packets", n)
		}
	}
	for _, f := range r.dear.Flows() {
		n := lineOf(f.Books, books.LostShare)
		if missed += n; f.Books.In != r.sent {
			r.t.Errorf("flow %d has %d packets, of which it has missed %d; %d were sent", f.FD, f.Books.In, n, r.sent)
		}
		if got := lineOf(f.Books, books.Passed); got+n != r.sent {
			r.t.Errorf("flow %d has passed %d and missed %d packets of %d", f.FD, got, n, r.sent)
		}
	}
	return missed
}

// lineOf returns the value of a line, 0 if there is none.
func lineOf(s books.Stage, name string) uint64 {
	for _, l := range slices.Concat(s.Out, s.Notes) {
		if l.Name == name {
			return l.Value
		}
	}
	return 0
}

// When a device fills, the flows of the user who costs most are passed by: also those that cost
// little and those that come now. The others get all packets. When the device is empty again
// and the term is over, they come back.
func TestTheDearestIsPassedBy(t *testing.T) {
	r := newRivals(t, burning(time.Millisecond))
	for range 10 {
		r.send(easy)
	}
	if r.check() != 0 {
		t.Error("flows were passed by although the device was not full")
	}
	r.overload()
	if !r.passed(r.dear) || r.passed(r.cheap) {
		t.Fatal("the wrong user is passed by")
	}
	r.send(easy) // the loop learns of it
	before := r.check()
	fd, results := r.dear.connected(fn("PKT_COUNTER"), fn("BURN"))
	r.send(easy)
	wantCount(t, "a flow that was connected meanwhile", results[0], 0)
	if err := r.dear.CloseFlow(fd); err != nil {
		t.Error(err)
	}
	if after := r.check(); before == 0 || after != before+2*atOnce*50 {
		t.Errorf("%d packets times flows missed, then %d", before, after)
	}
	device, _ := r.cheap.DeviceBooks("net0")
	if n := lineOf(device, books.PassedBy); n != 50 || !device.Balances() {
		t.Errorf("books of the device: %+v", device)
	}
	r.send(0)
	r.until("the flows come back", func() bool {
		return len(r.engine.devices[0].cur.rivalsLocked()) == 2
	})
	r.send(easy)
	missed := r.check()
	r.send(easy)
	if again := r.check(); again != missed {
		t.Errorf("flows that are back have missed %d packets", again-missed)
	}
	r.merged()
	if r.check() != missed {
		t.Error("flows that are back and merged have missed packets")
	}
}

// A silent device that passes flows by is not woken, and they come back all the same.
func TestBackOnASilentDevice(t *testing.T) {
	r := newRivals(t, burning(time.Millisecond))
	r.overload()
	r.send(0)
	r.until("the flows come back", func() bool {
		return len(r.engine.devices[0].cur.rivalsLocked()) == 2
	})
	missed := r.check()
	r.send(easy)
	if r.check() != missed {
		t.Error("flows that are back have missed packets")
	}
}

// Flows can be connected and closed, and the device closed, while flows are passed by.
func TestCloseThePassed(t *testing.T) {
	r := newRivals(t, burning(time.Millisecond))
	r.overload()
	var later []int32
	for range 20 {
		fd, _ := r.dear.connected(fn("BURN"), fn("PKT_COUNTER"))
		later = append(later, fd)
		r.send(easy)
	}
	for _, fd := range slices.Concat(r.fds, later[:10]) {
		if err := r.dear.CloseFlow(fd); err != nil {
			t.Error(err)
		}
	}
	r.fds, r.burns = nil, nil
	lost, _ := r.cheap.DeviceBooks("net0")
	if lineOf(lost, books.LostClosedFlows) == 0 {
		t.Errorf("what closed flows have missed is not in the books of the device: %+v", lost)
	}
	r.dear.Close()
	for range 5 {
		r.send(easy)
	}
	for _, c := range r.counters {
		wantCount(t, "a flow of the other user", c, r.sent)
	}
}

// An analyser for which only flows ask that are passed by does not run.
func TestAnalyserOfThePassed(t *testing.T) {
	var seen uint64
	lib := maker("ASKS", func(env flib.Env) (flib.Function, error) {
		_, err := env.Analyser("count", func() (flib.Analyser, error) { return counts{&seen}, nil })
		return &script{}, err
	})
	r := newRivals(t, burning(time.Millisecond), lib)
	r.dear.connected(fn("ASKS"))
	r.send(easy)
	if seen == 0 {
		t.Fatal("the analyser does not run")
	}
	r.overload()
	r.send(easy)
	before := seen
	r.send(easy)
	if seen != before {
		t.Error("the analyser runs for flows that are passed by")
	}
	r.cheap.connected(fn("ASKS"))
	r.send(easy)
	if seen == before {
		t.Error("the analyser does not run for another user's flow")
	}
}

// counts is an analyser that counts packets.
type counts struct{ n *uint64 }

func (c counts) Analyse(pkts []pkt.Packet, _ []uint8) { *c.n += uint64(len(pkts)) }

// toggle passes the flows of a client by and lets them come back, until the context ends. In the
// end they are back.
func (r *rivals) toggle(ctx context.Context, c *client) (times int) {
	capture := r.engine.devices[0].cur
	for ; ctx.Err() == nil; times++ {
		r.engine.mu.Lock()
		st := capture.stakeLocked(c.Session)
		st.Pass(time.Now())
		capture.loop.PassBy(capture.chainsLocked(st.Share))
		capture.stakesChangedLocked()
		r.engine.mu.Unlock()
		testenv.Until(r.t, "the flows have left the plan and are back", func() bool {
			r.engine.mu.Lock()
			left := capture.loop.Left()
			r.engine.mu.Unlock()
			return left && capture.bringBackOne(st, time.Now())
		})
	}
	return times
}

// While packets come, and flows come and go and are merged, flows are passed by and come back:
// no flow gets a packet twice, and the books balance.
func TestPassByAtAnyMoment(t *testing.T) {
	r := newRivals(t, burning(0))
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	var others sync.WaitGroup
	times := 0
	others.Go(func() { times = r.toggle(ctx, r.dear) })
	others.Go(func() {
		for ctx.Err() == nil {
			r.send(easy)
		}
	})
	for i := 0; ctx.Err() == nil; i++ {
		fd, _ := r.dear.connected(fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
		if i%20 == 0 {
			r.merged() // all become one segment, or that was put off until the end
			r.dear.balance(r.fds)
		}
		if err := r.dear.CloseFlow(fd); err != nil {
			t.Error(err)
		}
	}
	others.Wait()
	t.Logf("passed by %d times, %d packets", times, r.sent)
	if r.check() == 0 || times == 0 {
		t.Error("no packet was missed")
	}
}

// A user who closes all flows and comes back is passed by for twice as long the next time, all the
// same.
func TestTermsAreRemembered(t *testing.T) {
	r := newRivals(t, burning(0))
	pass := func() time.Duration {
		r.engine.mu.Lock()
		defer r.engine.mu.Unlock()
		st, now := r.engine.devices[0].cur.stakeLocked(r.dear.Session), time.Now()
		st.Pass(now)
		defer st.Return(now)
		return st.Left(now)
	}
	first := pass()
	for _, fd := range slices.Concat(r.fds, r.burns) {
		if err := r.dear.CloseFlow(fd); err != nil {
			t.Error(err)
		}
	}
	if second := pass(); second != 2*first {
		t.Errorf("the second term is %v, the first %v", second, first)
	}
}
