package engine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/shm"
	"gomapi/internal/testenv"
)

// equals connects n flows that count the same packets.
func (c *client) equals(n int) (fds []int32, counters []*shm.Reader) {
	for range n {
		fd, r := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
		fds, counters = append(fds, fd), append(counters, r[1])
	}
	return fds, counters
}

// until waits until is holds, which looks at the engine between two calls.
func (b *bed) until(what string, is func() bool) {
	b.t.Helper()
	testenv.Until(b.t, what, func() bool {
		b.engine.mu.Lock()
		defer b.engine.mu.Unlock()
		return is()
	})
}

// look connects a flow that refers to the last function of flow fd.
func (c *client) look(fd int32) {
	c.t.Helper()
	infos, err := c.Functions(fd)
	if err != nil {
		c.t.Fatal(err)
	}
	c.connected(fn("LOOK", int64(fd), int64(infos[len(infos)-1].FID)))
}

// loop returns the data side of the bed's device.
func (b *bed) loop() *loop {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	return b.engine.devices[0].cur.loop
}

// Searches differ when their arguments do, also where these make the same text one
// behind the other.
func TestSearchesThatReadAlike(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, one := c.connected(fn("STR_SEARCH", "ab1", int64(2), int64(3)), fn("PKT_COUNTER"))
	_, other := c.connected(fn("STR_SEARCH", "ab", int64(12), int64(3)), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0))
	b.settled()
	p := udp(53, 1)
	copy(p.Link[12:], "ab")
	b.source.Send(p)
	wantCount(t, "the search elsewhere", one[1], 0)
	wantCount(t, "the search there", other[1], 1)
}

// A flow that others begin to refer to before the loop has seen its level runs once
// for each packet.
func TestReferenceBeforeTheLevelBegins(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fds, counters := c.equals(20)
	b.source.Send(udp(53, 0))
	b.settled()
	c.look(fds[7])
	b.source.Send(udp(53, 1), udp(53, 2))
	if got := fmt.Sprint(all[0].seen); got != "[2 3]" {
		t.Errorf("the function that refers saw %s, want [2 3]", got)
	}
	b.settled()
	b.source.Send(udp(53, 3))
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 4)
	}
	for _, f := range c.Flows() {
		if !f.Books.Balances() {
			t.Errorf("flow %d: %+v", f.FD, f.Books)
		}
	}
}

// A level is of use also when others have begun to refer to a flow of it while it was
// built: nobody can keep the flows of others from settling.
func TestReferenceWhileTheLevelIsBuilt(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fds, counters := c.equals(20)
	b.source.Send(udp(53, 0))
	for _, round := range []string{"loose", "settled"} {
		capture := b.engine.devices[0].cur
		if round == "settled" {
			b.settled()
		}
		b.engine.mu.Lock()
		s, p := &capture.settler, capture.loop.plan.Load()
		s.cancel()
		task := s.task(p.loose, s.free(p), true)
		s.begin(task)
		b.engine.mu.Unlock()
		c.look(fds[len(all)])
		s.build(task)
		if n := len(capture.loop.plan.Load().levels); n != 1 {
			t.Errorf("%s: %d levels, want 1", round, n)
		}
		b.source.Send(udp(53, 1))
	}
	b.settled()
	b.source.Send(udp(53, 3))
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 4)
	}
}

// Flows that come while all become one do not draw those that are on their way into a
// second level.
func TestFlowsComeWhileAllBecomeOne(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, counters := c.equals(20)
	b.source.Send(udp(53, 0))
	b.settled()
	_, more := c.equals(5)
	capture := b.engine.devices[0].cur
	b.engine.mu.Lock()
	s, p := &capture.settler, capture.loop.plan.Load()
	s.cancel()
	all := s.task(p.loose, s.free(p), true)
	s.begin(all)
	b.engine.mu.Unlock()
	_, others := c.equals(2 * maxLoose)
	b.until("the small level is built", func() bool { return !s.small })
	s.build(all)
	b.source.Send(udp(53, 1))
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 2)
	}
	for i, r := range append(more, others...) {
		wantCount(t, fmt.Sprintf("later flow %d", i), r, 1)
	}
}

// A loop that waits for a reader touches no buffer of a flow that is being closed.
func TestNudgeWhileFlowsClose(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER")) // keeps the plan
	l := b.loop()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // the part of the capture goroutine, to which nobody sends
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				l.turn.Add(1)
				l.nudge(nil)
				l.leave()
			}
		}
	}()
	for range 30 {
		fd, _ := c.connected(fn("TO_BUFFER", int64(0)))
		if err := c.CloseFlow(fd); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
}

// While the loop of a file waits for a client, levels that come and go take no memory.
func TestLevelsGoWhileTheLoopWaits(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	l := b.loop()
	b.source.Send(udp(53, 0))
	b.settled()
	l.turn.Add(1) // the part of the capture goroutine
	l.setParked(&applied{})
	var fds []int32
	for i := range 2 * maxLoose {
		fd, _ := c.connected(fn("STR_SEARCH", fmt.Sprintf("text %d", i), int64(0), int64(0)), fn("PKT_COUNTER"))
		fds = append(fds, fd)
	}
	b.settled()
	for _, fd := range fds {
		wantCode(t, "close", c.CloseFlow(fd), 0)
	}
	b.settled()
	freed := make(chan struct{})
	go func() { b.engine.tasks.Wait(); close(freed) }()
	select {
	case <-freed:
	case <-time.After(testenv.Patience):
		t.Error("levels that the loop has never seen wait for it")
	}
	l.setParked(nil)
	l.leave()
	<-freed
}

// A user with many files has few levels built at a time.
func TestOneUserDoesNotTakeTheProcessors(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{drivers.MaxBatch})
	c, other := b.client(5), b.client(6)
	for range maxBuilding {
		c.user.building <- struct{}{}
	}
	mine, others := c.tape(), other.tape()
	for range 2 * maxLoose {
		for device, client := range map[string]*client{mine: c, others: other} {
			fd, _ := client.flowOn(device, fn("PKT_COUNTER"))
			wantCode(t, "connect", client.Connect(t.Context(), fd), 0)
		}
	}
	levels := func(c *client, device string) int { return len(c.offline[device].cur.loop.plan.Load().levels) }
	b.until("the other user has a level", func() bool { return levels(other, others) > 0 })
	b.engine.mu.Lock()
	if n := levels(c, mine); n != 0 {
		t.Errorf("%d levels were built beyond what a user can have", n)
	}
	b.engine.mu.Unlock()
	for range maxBuilding {
		<-c.user.building
	}
	b.until("the user has a level", func() bool { return levels(c, mine) > 0 })
}

// parks is a function that waits for its file, with each packet and when it is closed.
func parks(wait func()) flib.Library {
	return flib.Library{Name: "parks", Functions: []flib.Def{{
		Name: "PARK", New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
			return &script{
				process: func(in []*flib.Packet) []*flib.Packet { env.Park(wait); return in },
				close:   func() error { env.Park(wait); return nil },
			}, nil
		},
	}}}
}

// Results are complete while a function waits for its file. Only where the loop waits can
// others be closed: a function that waits when it is closed is no concern of the loop.
func TestParkedLoop(t *testing.T) {
	var l *loop
	var parked *applied
	var counters []*shm.Reader
	var least uint64
	b := newBed(t, parks(func() {
		l.waiters.Lock()
		parked = l.waiters.parked
		l.waiters.Unlock()
		least = ^uint64(0)
		for _, r := range counters {
			least = min(least, r.Uint64())
		}
	}))
	c := b.client(1)
	fd, _ := c.connected(fn("BPF_FILTER", "udp dst port 80"), fn("PARK"))
	_, counters = c.equals(100)
	l = b.loop()
	b.source.Send(udp(53, 0))
	b.settled()
	l.Batch([]drivers.Packet{udp(53, 1)}) // without a pause
	l.Batch([]drivers.Packet{udp(80, 2)})
	if parked == nil || least != 2 {
		t.Errorf("waiting with a packet: parked in %v, a flow has %d, want 2", parked, least)
	}
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if parked != nil {
		t.Error("the loop is said to wait where a function is closed")
	}
}

// A timer that comes late leaves the one that has taken its place alone.
func TestLateTimer(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	s := &b.engine.devices[0].cur.settler
	b.engine.mu.Lock()
	late := s.timer
	s.cancel()
	s.changed = time.Now().Add(time.Hour)
	s.stir()
	timer := s.timer
	s.wake(late)
	defer b.engine.mu.Unlock()
	if timer == nil || s.timer != timer {
		t.Error("a timer is lost that nobody can stop any more")
	}
}

// Results are complete at the end of a device, also if a function fails there.
func TestResultsAtTheEnd(t *testing.T) {
	b := newBed(t, library(map[string]*script{"FAIL": {end: func() []*flib.Packet { panic("boom") }}}))
	c := b.client(1)
	c.connected(fn("FAIL"))
	_, counters := c.equals(100)
	b.source.Send(udp(53, 0))
	b.settled()
	b.loop().Batch([]drivers.Packet{udp(53, 1)}) // without a pause
	b.source.End(nil)
	<-c.ended
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 2)
	}
}

// Flows that come to a silent device do not stay loose until all may become one again:
// packets may come before.
func TestLooseDoNotWaitForAll(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	b.settled()
	capture := b.engine.devices[0].cur
	b.engine.mu.Lock()
	capture.settler.resume = time.Now().Add(time.Hour)
	b.engine.mu.Unlock()
	for i := range 100 {
		c.connected(fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i)), fn("PKT_COUNTER"))
	}
	b.until("few flows are loose", func() bool { return len(capture.loop.plan.Load().loose) <= maxLoose })
}

// Who connects while packets come and very many flows are loose waits for the level that
// takes them up, but not for ever.
func TestConnectKeepsUp(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	s := &b.engine.devices[0].cur.settler
	building := &task{}
	b.engine.mu.Lock()
	s.begin(building)
	b.engine.mu.Unlock()
	c.apart(maxCrowd + 1) // in silence nobody waits
	b.engine.mu.Lock()
	if s.built != nil {
		t.Error("somebody waits in silence")
	}
	b.engine.mu.Unlock()
	b.source.Send(udp(0, 0))
	fd, _ := c.flow(fn("PKT_COUNTER"))
	connected := make(chan error)
	go func() { connected <- c.Connect(t.Context(), fd) }()
	b.until("who connects waits", func() bool { return s.built != nil })
	b.engine.mu.Lock()
	s.end(building)
	s.begin(building)
	b.engine.mu.Unlock()
	b.source.Send(udp(0, 0))
	if err := <-connected; err != nil { // it found others loose still, and gave up
		t.Error(err)
	}
	c.connected(fn("PKT_COUNTER")) // likewise
	b.engine.mu.Lock()
	s.end(building)
	s.stir()
	b.engine.mu.Unlock()
	b.settled()
}

// gather connects very many flows to a file, which have a function that notes how many
// are loose when the first packet comes.
func (b *bed) gather(c *client, loose *int) (name string, file *capture) {
	name = c.tape()
	file = c.offline[name].cur
	for i := range maxIdle + 1 {
		fd, _ := c.flowOn(name, fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", i%64)), fn("LOOK"))
		wantCode(b.t, "connect", c.Connect(b.t.Context(), fd), 0)
	}
	*loose = -1
	b.noted = func() {
		if *loose < 0 {
			*loose = len(file.loop.plan.Load().loose)
		}
	}
	return name, file
}

// files is a bed for gather.
func files(t *testing.T) *bed {
	var b *bed
	b = newBed(t, library(map[string]*script{"LOOK": {process: func(in []*flib.Packet) []*flib.Packet {
		b.noted()
		return in
	}}}))
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{drivers.MaxBatch})
	return b
}

// The flows of a file settle before its first packet, however short before they came.
func TestFileSettlesFirst(t *testing.T) {
	b := files(t)
	c := b.client(1)
	loose := 0
	name, _ := b.gather(c, &loose)
	wantCode(t, "start", c.StartOffline(name), 0)
	<-c.ended
	if loose != 0 {
		t.Errorf("%d flows are loose at the first packet", loose)
	}
}

// A file that is started while its flows are being settled waits for that. It does not
// when it is deleted.
func TestFileStartsWhileItSettles(t *testing.T) {
	b := files(t)
	c := b.client(1)
	for _, deleted := range []bool{false, true} {
		for range maxBuilding {
			c.user.building <- struct{}{}
		}
		loose := 0
		name, file := b.gather(c, &loose)
		b.until("all become one", func() bool { return file.settler.large })
		wantCode(t, "start", c.StartOffline(name), 0)
		b.until("the file waits", func() bool { return file.settler.built != nil })
		if deleted {
			wantCode(t, "delete", c.DeleteOffline(name), 0)
		}
		for range maxBuilding {
			<-c.user.building
		}
		if !deleted {
			<-c.ended
			if loose != 0 {
				t.Errorf("%d flows are loose at the first packet", loose)
			}
		}
	}
}
