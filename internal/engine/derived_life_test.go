package engine

import (
	"errors"
	"sync"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/account"
	"gomapi/internal/books"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/ring"
	"gomapi/internal/share"
	"gomapi/internal/shm"
	"gomapi/internal/testenv"
)

// only53 is forced in most tests of this file.
var only53 = callOf("BPF_FILTER", "udp dst port 53")

// derivations returns the open derived devices of the bed.
func (b *bed) derivations() (n int) {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	for _, d := range b.engine.devices {
		if d.cur != nil {
			n += len(d.cur.derived)
		}
	}
	return n
}

// The derived device is one for all flows of a user, whatever connection they are of. It ends some
// time after the last of them, and only then does the parent.
func TestDerivedDeviceIsSharedAndLingers(t *testing.T) {
	b := newBed(t)
	b.force(only53)
	one, other := b.client(bound), b.client(bound)
	before := one.taken(account.Memory)
	first, _ := one.connected(fn("PKT_COUNTER"))
	second, counter := other.connected(fn("PKT_COUNTER"))
	if n := b.derivations(); n != 1 {
		t.Fatalf("%d derived devices, want 1", n)
	}
	root := b.client(0)
	if n := len(root.Flows()); n != 2 {
		t.Errorf("root sees %d flows, want 2", n)
	}
	wantCode(t, "close", one.CloseFlow(first), 0)
	b.source.Send(udp(53, 0), udp(80, 0))
	wantCount(t, "the other connection", counter[0], 1)
	wantCode(t, "close", other.CloseFlow(second), 0)
	if b.derivations() != 1 || b.source.Open() != 1 {
		t.Error("the device does not linger")
	}
	keep, _ := root.connected(fn("PKT_COUNTER"))
	b.engine.opts.Linger = time.Millisecond
	again, _ := one.connected(fn("PKT_COUNTER"))
	wantCode(t, "close", one.CloseFlow(again), 0)
	testenv.Until(t, "the derived device is closed", func() bool { return b.derivations() == 0 })
	if s, err := root.DeviceBooks("net0"); err != nil || !s.Balances() || lineOf(s, books.Withheld) != 1 {
		t.Errorf("the books of the parent: %+v, %v", s, err)
	}
	wantCode(t, "close", root.CloseFlow(keep), 0)
	testenv.Until(t, "the devices are closed", func() bool { return b.derivations() == 0 && b.source.Open() == 0 })
	testenv.Until(t, "all is given back", func() bool { return one.taken(account.Memory) == before })
	_, counter = one.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0), udp(80, 0))
	wantCount(t, "packets of the next derived device", counter[0], 1)
}

// The derived device ends as its parent does, or when a forced function fails, with that error.
func TestEndOfADerivedDevice(t *testing.T) {
	broken := errors.New("broken")
	fault := false
	for what, c := range map[string]struct {
		end  func(*bed)
		code mapierr.Code
	}{
		"end":           {func(b *bed) { b.source.End(nil) }, 0},
		"failure":       {func(b *bed) { b.source.End(broken) }, 0},
		"fault":         {func(b *bed) { fault = true; b.source.Send(udp(53, 1)) }, mapierr.CouldNotInitFunction},
		"configuration": {func(b *bed) { b.engine.SetDevices(nil) }, mapierr.NoDriver},
	} {
		t.Run(what, func(t *testing.T) {
			fault = false
			b := newBed(t, library(map[string]*script{"FRAGILE": {process: func(in []*flib.Packet) []*flib.Packet {
				if fault {
					panic("fault")
				}
				return in
			}}}))
			b.force(only53, callOf("FRAGILE"))
			free, u := b.client(1), b.client(bound)
			_, others := free.connected(fn("PKT_COUNTER"))
			fd, counter := u.connected(fn("PKT_COUNTER"))
			b.source.Send(udp(53, 0), udp(80, 0))
			c.end(b)
			err := u.told()
			wantCode(t, "the end", err, c.code)
			if what == "failure" && !errors.Is(err, broken) {
				t.Errorf("the end: %v", err)
			}
			if f, _ := u.Flow(fd); f.Status != FlowFinished || !f.Books.Balances() {
				t.Errorf("the flow: %+v", f)
			}
			wantCount(t, "packets until then", counter[0], 1)
			wantCode(t, "close", u.CloseFlow(fd), 0)
			if what != "fault" {
				return
			}
			fault = false
			_, counter = u.connected(fn("PKT_COUNTER"))
			b.source.Send(udp(53, 0))
			wantCount(t, "packets of the next flow", counter[0], 1)
			wantCount(t, "another user", others[0], 4)
		})
	}
}

// A derived device that gets nothing has the packet time of its parent: functions are called when
// they are due. Those of a file wait for packets.
func TestPacketTimeOfADerivedDevice(t *testing.T) {
	b := newBed(t, flibtest.Library())
	b.source.SetHold(-1)
	b.force(only53)
	u := b.client(bound)
	_, echoed := u.connected(fn("ECHO"), fn("PKT_COUNTER"))
	p := udp(53, 0)
	b.source.Send(p)
	wantCount(t, "emitted at once", echoed[1], 0)
	p = udp(80, 0)
	p.TS += 2 << 32
	b.source.Send(p)
	wantCount(t, "emitted when its time has come", echoed[1], 2)

	b = newBed(t, flibtest.Library())
	b.source.SetHold(0)
	b.force(only53)
	u = b.client(bound)
	_, echoed = u.connected(fn("ECHO"), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0))
	testenv.Until(t, "the clock has reached the time", func() bool { return echoed[1].Uint64() == 2 })
}

// A function that waits for its client, behind forced functions of a file, waits with the whole file.
// Meanwhile flows can be closed, also the one that waits, and the file.
func TestDerivedFileWaits(t *testing.T) {
	long := make([]drivers.Packet, 400)
	for i := range long {
		long[i] = udp(uint16(53+i%2*27), uint32(i))
		long[i].Link, long[i].Wire = append(long[i].Link, make([]byte, 60_000)...), 60_060
	}
	for what, end := range map[string]func(u *client, name string, fd int32, r *ring.Reader){
		"read": func(u *client, _ string, _ int32, r *ring.Reader) {
			for n := range 200 {
				if _, err := r.Next(u.t.Context()); err != nil {
					u.t.Fatalf("packet %d: %v", n, err)
				}
			}
			if err := u.told(); err != nil {
				u.t.Error(err)
			}
		},
		"close the flow": func(u *client, _ string, fd int32, _ *ring.Reader) {
			wantCode(u.t, "close", u.CloseFlow(fd), 0)
			if err := u.told(); err != nil {
				u.t.Error(err)
			}
		},
		"delete": func(u *client, name string, _ int32, _ *ring.Reader) {
			wantCode(u.t, "delete", u.DeleteOffline(name), 0)
		},
		"hang up": func(u *client, _ string, _ int32, _ *ring.Reader) { u.Close() },
	} {
		t.Run(what, func(t *testing.T) {
			b := newBed(t)
			b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, roll(long))
			b.force(only53)
			u := b.client(bound)
			name, err := u.file()
			wantCode(t, "file", err, 0)
			f, err := u.CreateFlow(t.Context(), name)
			wantCode(t, "create", err, 0)
			a, err := u.Apply(t.Context(), f.FD, "TO_BUFFER", nil)
			wantCode(t, "apply", err, 0)
			r, err := ring.Open(a.Ring.Files()...)
			wantCode(t, "open", err, 0)
			defer r.Close()
			wantCode(t, "connect", u.Connect(t.Context(), f.FD), 0)
			other, _ := u.flowOn(name, fn("PKT_COUNTER"))
			wantCode(t, "connect", u.Connect(t.Context(), other), 0)
			wantCode(t, "start", u.StartOffline(name), 0)
			c := u.offline[name].cur
			testenv.Until(t, "the file waits", c.loop.Parked)
			if !c.reader().loop.Parked() {
				t.Error("the parent does not wait")
			}
			wantCode(t, "close of another flow", u.CloseFlow(other), 0)
			end(u, name, f.FD, r)
		})
	}
}

// When the flows of a user are passed by, those behind forced functions are, and know that they have
// missed something. All books balance.
func TestDerivedDeviceIsPassedBy(t *testing.T) {
	b := newBed(t, burning(200*time.Microsecond))
	b.force(only53)
	u, free := b.client(bound), b.client(1)
	fd, counter := u.connected(fn("BURN"), fn("PKT_COUNTER"))
	fds := []int32{fd}
	other, all := free.connected(fn("PKT_COUNTER"))
	capture := b.engine.devices[0].cur
	passed := func() bool { return b.passedUser(capture, u) }
	sent := uint64(0)
	send := func(full int) {
		b.source.SetFullness(full)
		b.source.Send(udp(53, 1), udp(80, 1))
		sent += 2
	}
	full := share.Filling
	testenv.Until(t, "the user is passed by", func() bool {
		send(full)
		full = min(full+5, 100)
		return passed()
	})
	send(easy)
	before := counter[1].Uint64()
	send(easy)
	if n := counter[1].Uint64(); n != before {
		t.Errorf("%d packets came while the flow was passed by", n-before)
	}
	wantCount(t, "the other user", all[0], sent)
	u.balance(fds)
	free.balance([]int32{other})
	for _, c := range []*client{u, free} {
		if s, err := c.DeviceBooks("net0"); err != nil || !s.Balances() {
			t.Errorf("the books: %+v, %v", s, err)
		} else if c == u && (lineOf(s, books.UnknownLosses) != 1 || lineOf(s, books.PassedBy) != 1) {
			t.Errorf("the books of the derived device do not say that it is passed by: %+v", s)
		}
	}
	testenv.Until(t, "the user comes back", func() bool { send(0); return !passed() })
	before = counter[1].Uint64()
	send(0)
	wantCount(t, "packets afterwards", counter[1], before+1)
	b.engine.mu.Lock()
	inner := capture.derived[0].flow.booksLocked()
	b.engine.mu.Unlock()
	if !inner.Balances() {
		t.Errorf("the inner flow: %+v", inner)
	}
}

// passedUser reports whether the flows of a client are passed by.
func (b *bed) passedUser(c *capture, u *client) bool {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	return c.stakeLocked(u.Session).Passed()
}

// Flows behind forced functions come and go while packets come, and devices with them. A lasting flow
// misses nothing and sees nothing that is withheld.
func TestDerivedFlowsComeAndGo(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Linger = 0
	b.force(only53, callOf("SAMPLE", int64(1), int64(2)))
	steady, free := b.client(bound), b.client(1)
	_, counter := steady.connected(fn("PKT_COUNTER"))
	_, withheld := steady.connected(fn("BPF_FILTER", "udp dst port 80"), fn("PKT_COUNTER"))
	_, all := free.connected(fn("PKT_COUNTER"))
	const batches = 1000
	var work sync.WaitGroup
	work.Go(func() {
		for i := range batches {
			b.source.Send(udp(53, uint32(i)), udp(80, uint32(i)), udp(53, uint32(i)))
		}
	})
	owners := b.engine.opts.Forced
	b.engine.opts.Forced = func(o Owner, device string) []funccall.Call {
		if o.UID != bound && o.UID >= 100 {
			o.UID = bound
		}
		return owners(o, device)
	}
	for uid := range uint32(3) {
		c := b.client(100 + uid) // each with a derived device that comes and goes
		work.Go(func() {
			for range 60 {
				fd, err := c.CreateFlow(t.Context(), "net0")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err = c.Apply(t.Context(), fd.FD, "PKT_COUNTER", nil); err == nil {
					err = c.Connect(t.Context(), fd.FD)
				}
				if err = errors.Join(err, c.CloseFlow(fd.FD)); err != nil {
					t.Error(err)
				}
				_, _ = c.DeviceBooks("net0")
			}
		})
	}
	work.Wait()
	wantCount(t, "packets of the lasting flow", counter[0], 2*batches)
	wantCount(t, "what is withheld", withheld[1], 0)
	wantCount(t, "packets of another user", all[0], 3*batches)
}

// Nothing behind forced functions allocates.
func TestNoAllocationBehindForcedFunctions(t *testing.T) {
	if testenv.Race {
		t.Skip("the race detector allocates")
	}
	b := newBed(t, forcedLibrary())
	b.force(only53, callOf("SAMPLE", int64(2), int64(2)), callOf("BLANK"))
	u := b.client(bound)
	for range 20 {
		u.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
		u.connected(fn("BYTE_COUNTER"))
	}
	b.settle()
	pkts := make([]drivers.Packet, drivers.MaxBatch)
	for i := range pkts {
		pkts[i] = udp(uint16(53+27*(i%2)), uint32(i))
	}
	b.source.Send(pkts...)
	loop := b.engine.devices[0].cur.loop
	if n := testing.AllocsPerRun(100, func() { loop.Batch(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

// A forced function that cuts packets cuts them for good.
func TestNobodyReachesBehindACut(t *testing.T) {
	reached := false
	b := newBed(t, library(map[string]*script{
		"CUT": {process: func(in []*flib.Packet) []*flib.Packet {
			for _, p := range in {
				p.Link = p.Link[:20]
			}
			return in
		}},
		"REACH": {process: func(in []*flib.Packet) []*flib.Packet {
			for _, p := range in {
				reached = reached || cap(p.Link) > 20
			}
			return in
		}},
	}, "CUT"))
	b.force(callOf("CUT"))
	_, counter := b.client(bound).connected(fn("REACH"), fn("BYTE_COUNTER"))
	b.source.Send(udp(53, 0))
	wantCount(t, "bytes on the wire", counter[1], 60)
	if reached {
		t.Error("a function can reach the bytes behind the cut")
	}
}

// After a forced function has failed, the functions behind it are told of the end, and of nothing
// after that.
func TestNothingComesAfterTheEnd(t *testing.T) {
	fault, ended, late := false, false, 0
	b := newBed(t, library(map[string]*script{
		"FRAGILE": {process: func(in []*flib.Packet) []*flib.Packet {
			if fault {
				panic("fault")
			}
			return in
		}},
		"LISTEN": {
			expire: func(uint64) []*flib.Packet {
				if ended {
					late++
				}
				return nil
			},
			end: func() []*flib.Packet { ended = true; return nil },
		},
	}))
	b.force(callOf("FRAGILE"))
	b.client(1).connected(fn("PKT_COUNTER"))
	u := b.client(bound)
	u.connected(fn("LISTEN"))
	b.source.Send(udp(53, 0))
	fault = true
	for range 3 {
		b.source.Send(udp(53, 1))
	}
	wantCode(t, "the end", u.told(), mapierr.CouldNotInitFunction)
	if !ended || late > 0 {
		t.Errorf("told of the end: %v, then called %d times", ended, late)
	}
}

// Filters behind forced functions are compiled for each link type of a file.
func TestLinkTypesOfADerivedFile(t *testing.T) {
	b := newBed(t)
	const packets = 64 * drivers.MaxBatch
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{packets})
	b.force(callOf("BPF_FILTER", "udp dst portrange 0-31"))
	u := b.client(bound)
	name := u.tape()
	var counters []*shm.Reader
	for _, filter := range []string{"udp", "udp dst port 7", "udp dst port 40"} {
		fd, r := u.flowOn(name, fn("BPF_FILTER", filter), fn("PKT_COUNTER"))
		wantCode(t, "connect", u.Connect(t.Context(), fd), 0)
		counters = append(counters, r[1])
	}
	wantCode(t, "start", u.StartOffline(name), 0)
	if err := u.told(); err != nil {
		t.Fatal(err)
	}
	wantCount(t, "all", counters[0], packets/2)
	wantCount(t, "one port", counters[1], packets/64)
	wantCount(t, "a port that is withheld", counters[2], 0)
}

// A live device compiles for a link type that nobody has announced: first the forced filters, then
// those behind them.
func TestLinkTypesOfALiveDerivedDevice(t *testing.T) {
	b, _ := mixedBed(t, &gate{linkType: 0xffff}, ethernet)
	b.force(callOf("BPF_FILTER", "len >= 0"))
	u := b.client(bound)
	fd, r := u.connected(fn("BPF_FILTER", "len >= 1"), fn("PKT_COUNTER"))
	testenv.Until(t, "packets of the other link type come", func() bool {
		b.source.Send(ofType(rawIP))
		return r[1].Uint64() > 0
	})
	u.balance([]int32{fd})
	if s, err := u.DeviceBooks("net0"); err != nil || !s.Balances() {
		t.Errorf("the books: %+v, %v", s, err)
	}
}

// What a ring has lost before the forced functions is a loss of unknown size behind them.
func TestLossesBeforeADerivedDevice(t *testing.T) {
	b := newBed(t)
	b.client(1).connected(fn("PKT_COUNTER"))
	b.source.Lose(3)
	b.force(only53)
	u := b.client(bound)
	u.connected(fn("PKT_COUNTER"))
	for _, want := range []uint64{0, 1} {
		s, err := u.DeviceBooks("net0")
		if err != nil || !s.Balances() || s.In != 0 || lineOf(s, books.LostRing) != 0 || lineOf(s, books.UnknownLosses) != want {
			t.Errorf("the books: %+v, %v; want %d losses of unknown size", s, err, want)
		}
		b.source.Lose(5)
	}
}

// callOf is a function that is forced.
func callOf(name string, args ...any) funccall.Call {
	c := funccall.Call{Name: name}
	for _, a := range args {
		c.Args = append(c.Args, funccall.Arg{Value: a})
	}
	return c
}
