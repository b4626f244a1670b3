package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/compact"
	"gomapi/internal/datapath"
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

// until waits until is returns true. It calls is with the lock of the engine.
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
func (b *bed) loop() *datapath.Loop {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	return b.engine.devices[0].cur.loop
}

// beginAll begins a job that makes all chains of the bed's device one segment. build builds
// the segment.
func (b *bed) beginAll() (build func()) {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	c := &b.engine.devices[0].cur.compactor
	c.cancelLocked()
	all := &compact.Job{Unmerged: true, Large: true}
	for i, s := range c.capture.loop.Segments() {
		if !slices.Contains(c.busy, s) {
			all.Segments = append(all.Segments, i)
		}
	}
	j := c.beginLocked(all)
	return func() { c.run(j) }
}

// Searches with different arguments are different, even if the concatenated arguments are
// the same text.
func TestSearchesThatReadAlike(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, one := c.connected(fn("STR_SEARCH", "ab1", int64(2), int64(3)), fn("PKT_COUNTER"))
	_, other := c.connected(fn("STR_SEARCH", "ab", int64(12), int64(3)), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0))
	b.merged()
	p := udp(53, 1)
	copy(p.Link[12:], "ab")
	b.source.Send(p)
	wantCount(t, "the search elsewhere", one[1], 0)
	wantCount(t, "the search there", other[1], 1)
}

// If others begin to refer to a flow before the loop has seen its segment, the flow still
// runs once for each packet.
func TestReferenceBeforeTheSegmentBegins(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fds, counters := c.equals(20)
	b.source.Send(udp(53, 0))
	b.merged()
	c.look(fds[7])
	b.source.Send(udp(53, 1), udp(53, 2))
	if got := fmt.Sprint(all[0].seen); got != "[2 3]" {
		t.Errorf("the function that refers saw %s, want [2 3]", got)
	}
	b.merged()
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

// A segment is used even if others have begun to refer to one of its flows while it was being
// built: no client can prevent the flows of others from being merged.
func TestReferenceWhileTheSegmentIsBuilt(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fds, counters := c.equals(20)
	b.source.Send(udp(53, 0))
	for _, round := range []string{"unmerged", "merged"} {
		if round == "merged" {
			b.merged()
		}
		build := b.beginAll()
		c.look(fds[len(all)])
		build()
		if n := len(b.loop().Segments()); n != 1 {
			t.Errorf("%s: %d segments, want 1", round, n)
		}
		b.source.Send(udp(53, 1))
	}
	b.merged()
	b.source.Send(udp(53, 3))
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 4)
	}
}

// Flows that come while all become one do not cause a second segment with the chains that
// are being moved.
func TestFlowsComeWhileAllBecomeOne(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, counters := c.equals(20)
	b.source.Send(udp(53, 0))
	b.merged()
	_, more := c.equals(5)
	build := b.beginAll()
	_, others := c.equals(2 * compact.MaxUnmerged)
	b.until("the small segment is built", func() bool { return !b.engine.devices[0].cur.compactor.building.Small })
	build()
	b.source.Send(udp(53, 1))
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 2)
	}
	for i, r := range append(more, others...) {
		wantCount(t, fmt.Sprintf("later flow %d", i), r, 1)
	}
}

// A loop that waits for a reader does not touch the buffer of a flow that is being closed.
func TestNudgeWhileFlowsClose(t *testing.T) {
	var l *datapath.Loop
	b := newBed(t, library(map[string]*script{"READ": {process: func(in []*flib.Packet) []*flib.Packet {
		l.AwaitReader(nil, true)
		l.AwaitReader(nil, false)
		return in
	}}}))
	c := b.client(1)
	c.connected(fn("READ"))
	l = b.loop()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // in place of the capture goroutine, which gets no packets
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				l.Batch([]drivers.Packet{udp(53, 0)})
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

// While the loop of a file waits for a client, replaced segments are freed.
func TestSegmentsGoWhileTheLoopWaits(t *testing.T) {
	goOn, waits := make(chan struct{}), make(chan struct{})
	parked := sync.OnceFunc(func() { close(waits) })
	b := newBed(t, parks(func() { parked(); <-goOn }))
	c := b.client(1)
	fd, _ := c.flow(fn("BPF_FILTER", "udp dst port 80"), fn("PARK"))
	compactor := &b.engine.devices[0].cur.compactor
	rest := func(until time.Time) {
		b.engine.mu.Lock()
		defer b.engine.mu.Unlock()
		compactor.resume = until
		compactor.stirLocked()
	}
	rest(time.Now().Add(time.Hour)) // so that the loop sees no segment
	wantCode(t, "connect", c.Connect(t.Context(), fd), 0)
	l := b.loop()
	var capture sync.WaitGroup // in place of the capture goroutine
	capture.Go(func() { l.Batch([]drivers.Packet{udp(80, 0)}) })
	<-waits
	rest(time.Time{})
	var fds []int32
	for i := range 2 * compact.MaxUnmerged {
		fd, _ := c.connected(fn("STR_SEARCH", fmt.Sprintf("text %d", i), int64(0), int64(0)), fn("PKT_COUNTER"))
		fds = append(fds, fd)
	}
	b.merged()
	for _, fd := range fds {
		wantCode(t, "close", c.CloseFlow(fd), 0)
	}
	b.merged()
	freed := make(chan struct{})
	go func() { b.engine.tasks.Wait(); close(freed) }()
	select {
	case <-freed:
	case <-time.After(testenv.Patience):
		t.Error("segments that the loop has never seen wait for it")
	}
	close(goOn)
	capture.Wait()
	<-freed
}

// takeBuilders takes all that a user can have built at a time.
func (c *client) takeBuilders() (giveBack func()) {
	var leaves []func()
	for range maxBuilding {
		leave, err := c.engine.turns.building.Enter(c.t.Context(), c.payer())
		if err != nil {
			c.t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	return func() {
		for _, leave := range leaves {
			leave()
		}
	}
}

// The segments of a user with many files are built few at a time.
func TestOneUserDoesNotTakeTheProcessors(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{drivers.MaxBatch})
	c, other := b.client(5), b.client(6)
	giveBack := c.takeBuilders()
	mine, others := c.tape(), other.tape()
	for range 2 * compact.MaxUnmerged {
		for device, client := range map[string]*client{mine: c, others: other} {
			fd, _ := client.flowOn(device, fn("PKT_COUNTER"))
			wantCode(t, "connect", client.Connect(t.Context(), fd), 0)
		}
	}
	segments := func(c *client, device string) int { return len(c.offline[device].cur.loop.Segments()) }
	b.until("the other user has a segment", func() bool { return segments(other, others) > 0 })
	b.engine.mu.Lock()
	if n := segments(c, mine); n != 0 {
		t.Errorf("%d segments were built beyond what a user can have", n)
	}
	b.engine.mu.Unlock()
	giveBack()
	b.until("the user has a segment", func() bool { return segments(c, mine) > 0 })
}

// parks is a function that waits for its file, at each packet and when it is closed.
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

// Results are up to date while a function waits for its file. Other flows can be closed only
// while the loop itself is parked; a function that waits while it is being closed does not
// park the loop.
func TestParkedLoop(t *testing.T) {
	var l *datapath.Loop
	var parked bool
	var counters []*shm.Reader
	var least uint64
	b := newBed(t, parks(func() {
		parked = l.Parked()
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
	b.merged()
	l.Batch([]drivers.Packet{udp(53, 1)}) // without a pause
	l.Batch([]drivers.Packet{udp(80, 2)})
	if !parked || least != 2 {
		t.Errorf("waiting with a packet: parked in %v, a flow has %d, want 2", parked, least)
	}
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if parked {
		t.Error("the loop is said to wait where a function is closed")
	}
}

// A timer that fires late does not affect the timer that has replaced it.
func TestLateTimer(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	s := &b.engine.devices[0].cur.compactor
	b.engine.mu.Lock()
	late := s.timer
	s.cancelLocked()
	s.changed = time.Now().Add(time.Hour)
	s.stirLocked()
	timer := s.timer
	s.wakeLocked(late)
	defer b.engine.mu.Unlock()
	if timer == nil || s.timer != timer {
		t.Error("a timer is lost that nobody can stop any more")
	}
}

// Results are up to date at the end of a device, even if a function fails there.
func TestResultsAtTheEnd(t *testing.T) {
	b := newBed(t, library(map[string]*script{"FAIL": {end: func() []*flib.Packet { panic("boom") }}}))
	c := b.client(1)
	c.connected(fn("FAIL"))
	_, counters := c.equals(100)
	b.source.Send(udp(53, 0))
	b.merged()
	b.loop().Batch([]drivers.Packet{udp(53, 1)}) // without a pause
	b.source.End(nil)
	<-c.ended
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 2)
	}
}

// Flows that come to a silent device are merged before the rest is over, because packets may
// come earlier.
func TestUnmergedDoNotWaitForAll(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	b.merged()
	capture := b.engine.devices[0].cur
	b.engine.mu.Lock()
	capture.compactor.resume = time.Now().Add(time.Hour)
	b.engine.mu.Unlock()
	for i := range 100 {
		c.connected(fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i)), fn("PKT_COUNTER"))
	}
	b.until("few flows are unmerged", func() bool { return len(capture.loop.Unmerged()) <= compact.MaxUnmerged })
}

// A connect while packets come and very many flows are unmerged waits for the segment that
// takes them up, but only for a limited time.
func TestConnectKeepsUp(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	s := &b.engine.devices[0].cur.compactor
	b.engine.mu.Lock()
	building := s.beginLocked(&compact.Job{})
	b.engine.mu.Unlock()
	c.apart(compact.MaxCrowd + 1) // without packets nobody waits
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
	s.endLocked(building)
	building = s.beginLocked(&compact.Job{})
	b.engine.mu.Unlock()
	b.source.Send(udp(0, 0))
	if err := <-connected; err != nil { // it found others still unmerged and stopped waiting
		t.Error(err)
	}
	c.connected(fn("PKT_COUNTER")) // likewise
	b.engine.mu.Lock()
	s.endLocked(building)
	s.stirLocked()
	b.engine.mu.Unlock()
	b.merged()
}

// gather connects very many flows to a file. Their function notes how many flows are
// unmerged when the first packet comes.
func (b *bed) gather(c *client, unmerged *int) (name string, file *capture) {
	name = c.tape()
	file = c.offline[name].cur
	file.compactor.building.Large = true // so that no segment is built meanwhile
	for i := range compact.MaxIdle + 1 {
		fd, _ := c.flowOn(name, fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", i%64)), fn("LOOK"))
		wantCode(b.t, "connect", c.Connect(b.t.Context(), fd), 0)
	}
	b.engine.mu.Lock()
	file.compactor.building.Large = false
	file.compactor.stirLocked()
	b.engine.mu.Unlock()
	*unmerged = -1
	b.noted = func() {
		if *unmerged < 0 {
			*unmerged = len(file.loop.Unmerged())
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

// The flows of a file are merged before its first packet, even if they came just before.
func TestFileMergesFirst(t *testing.T) {
	b := files(t)
	c := b.client(1)
	unmerged := 0
	name, _ := b.gather(c, &unmerged)
	wantCode(t, "start", c.StartOffline(name), 0)
	<-c.ended
	if unmerged != 0 {
		t.Errorf("%d flows are unmerged at the first packet", unmerged)
	}
}

// A file that is started while its flows are being merged waits for the merge. A file that is
// deleted does not wait.
func TestFileStartsWhileItMerges(t *testing.T) {
	b := files(t)
	c := b.client(1)
	for _, deleted := range []bool{false, true} {
		giveBack := c.takeBuilders()
		unmerged := 0
		name, file := b.gather(c, &unmerged)
		b.until("all become one", func() bool { return file.compactor.building.Large })
		wantCode(t, "start", c.StartOffline(name), 0)
		b.until("the file waits", func() bool { return file.compactor.built != nil })
		if deleted {
			wantCode(t, "delete", c.DeleteOffline(name), 0)
		}
		giveBack()
		if !deleted {
			<-c.ended
			if unmerged != 0 {
				t.Errorf("%d flows are unmerged at the first packet", unmerged)
			}
		}
	}
}
