package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// script is a function made of closures, to test each interface of the contract.
type script struct {
	process func(in []*flib.Packet) []*flib.Packet
	expire  func(now uint64) []*flib.Packet
	end     func() []*flib.Packet
	start   func() error
	stop    func()
	close   func() error
	emits   bool
}

func (s *script) Stop() {
	if s.stop != nil {
		s.stop()
	}
}

func (s *script) Process(in []*flib.Packet) []*flib.Packet {
	if s.process == nil {
		return in
	}
	return s.process(in)
}

func (s *script) Expire(now uint64) []*flib.Packet {
	if s.expire == nil {
		return nil
	}
	return s.expire(now)
}

func (s *script) Deadline() uint64 {
	if s.expire == nil {
		return flib.NoDeadline
	}
	return 0
}

func (s *script) End() []*flib.Packet {
	if s.end == nil {
		return nil
	}
	return s.end()
}

func (s *script) Start() error {
	if s.start == nil {
		return nil
	}
	return s.start()
}

func (s *script) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// library makes a library of scripts, each with its own name.
func library(defs map[string]*script, modifies ...string) flib.Library {
	lib := flib.Library{Name: "scripts"}
	for name, s := range defs {
		lib.Functions = append(lib.Functions, flib.Def{
			Name:     name,
			Modifies: slices.Contains(modifies, name),
			Emits:    s.emits || s.end != nil,
			New:      func(context.Context, flib.Env, flib.Args) (flib.Function, error) { return s, nil },
		})
	}
	return lib
}

func TestModifyingFunctionWorksOnCopies(t *testing.T) {
	b := newBed(t, library(map[string]*script{"BLANK": {process: func(in []*flib.Packet) []*flib.Packet {
		for _, p := range in {
			clear(p.Link)
			p.Wire = 1
		}
		return in
	}}}, "BLANK"))
	c := b.client(1)
	_, changed := c.connected(fn("BPF_FILTER", "udp"), fn("BYTE_COUNTER"), fn("BLANK"), fn("BYTE_COUNTER"), fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	_, open := c.connected(fn("BLANK"), fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	_, original := c.connected(fn("BYTE_COUNTER"), fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	for range 3 {
		b.source.Send(udp(53, 0), udp(53, 1))
	}
	wantCount(t, "bytes before the change", changed[1], 6*60)
	wantCount(t, "bytes behind the change", changed[3], 6)
	wantCount(t, "packets that a filter behind the change finds", changed[5], 0)
	wantCount(t, "packets that a filter behind an early change finds", open[2], 0)
	wantCount(t, "bytes that another flow sees", original[0], 6*60)
	wantCount(t, "packets that another flow's filter finds", original[2], 6)
}

// TestOnePacketInSeveralOut tests what COOKING needs: emitting packets of its own later.
func TestOnePacketInSeveralOut(t *testing.T) {
	var kept []pkt.Packet
	cook := &script{
		process: func(in []*flib.Packet) []*flib.Packet {
			for _, p := range in {
				q := *p
				q.Link = slices.Clone(p.Link)
				kept = append(kept, q, q)
			}
			return nil
		},
		end: func() (out []*flib.Packet) {
			for i := range kept {
				out = append(out, &kept[i])
			}
			kept = nil
			return out
		},
	}
	b := newBed(t, library(map[string]*script{"COOK": cook}))
	c := b.client(1)
	fd, results := c.connected(fn("COOK"), fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0), udp(80, 1), udp(53, 2))
	wantCount(t, "packets before the end", results[2], 0)
	b.source.End(nil)
	<-c.ended
	wantCount(t, "packets after the end", results[2], 4)
	infos, err := c.Functions(fd)
	if err != nil {
		t.Fatal(err)
	}
	if infos[0].Packets != 3 || infos[0].Passed != 6 || infos[1].Packets != 6 {
		t.Errorf("books say %+v, want 3 in, 6 out", infos[:2])
	}
}

func TestPacketTimePassesWithoutPackets(t *testing.T) {
	var times []uint64
	timer := &script{expire: func(now uint64) []*flib.Packet { times = append(times, now); return nil }}
	b := newBed(t, library(map[string]*script{"TIMER": timer}))
	c := b.client(1)
	c.connected(fn("BPF_FILTER", "udp dst port 9"), fn("TIMER"))
	p := udp(53, 0)
	b.source.Send(p)
	earlier := p
	earlier.TS -= 1 << 32
	b.source.Send(earlier)
	later := p
	later.TS += 5 << 32
	b.source.Send(later)
	want := []uint64{p.TS, p.TS, later.TS}
	if !slices.Equal(times, want) {
		t.Errorf("Expire was called with %v, want %v", times, want)
	}
}

func TestFailedConnectIsUndone(t *testing.T) {
	var started, stopped, closed int
	fail := true
	good := &script{
		start: func() error { started++; return nil },
		stop:  func() { stopped++ },
		close: func() error { closed++; return nil },
	}
	bad := &script{start: func() error {
		if fail {
			return errors.New("no paper")
		}
		return nil
	}}
	b := newBed(t, library(map[string]*script{"GOOD": good, "BAD": bad}))
	c := b.client(1)
	fd, results := c.flow(fn("GOOD"), fn("PKT_COUNTER"), fn("BAD"))
	err := c.Connect(t.Context(), fd)
	wantCode(t, "connect", err, mapierr.CouldNotInitFunction)
	if started != 1 || stopped != 1 || closed != 0 {
		t.Errorf("started %d times, stopped %d, closed %d, want 1, 1, 0", started, stopped, closed)
	}
	if f := c.Flows()[0]; f.Status != FlowInit || f.Functions != 3 {
		t.Errorf("flow is %+v, want it as before", f)
	}
	b.source.Send(udp(1, 0))
	wantCount(t, "packets of the flow that is not connected", results[1], 0)
	fail = false
	wantCode(t, "second try", c.Connect(t.Context(), fd), 0)
	b.source.Send(udp(1, 1))
	wantCount(t, "packets", results[1], 1)
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if started != 2 || stopped != 1 || closed != 1 {
		t.Errorf("started %d times, stopped %d, closed %d, want 2, 1, 1", started, stopped, closed)
	}
}

func TestFunctionsCloseInOrder(t *testing.T) {
	var order []string
	closer := func(name string) *script {
		return &script{close: func() error { order = append(order, name); return nil }}
	}
	b := newBed(t, library(map[string]*script{"A": closer("A"), "B": closer("B")}))
	c := b.client(1)
	fd, _ := c.connected(fn("B"), fn("A"), fn("B"))
	unconnected, _ := c.flow(fn("A"))
	wantCode(t, "close", c.CloseFlow(fd), 0)
	wantCode(t, "close", c.CloseFlow(unconnected), 0)
	if !slices.Equal(order, []string{"B", "A", "B", "A"}) {
		t.Errorf("closed in order %v, want B A B, and A of the flow that never ran", order)
	}
}

func TestPanicEndsTheDeviceOnly(t *testing.T) {
	b := newBed(t, library(map[string]*script{"BOOM": {process: func([]*flib.Packet) []*flib.Packet { panic("boom") }}}))
	other := b.driver.Add("net1", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, HostClock: true})
	b.engine.AddDevice(DeviceSpec{Name: "net1", Driver: "fake"})
	c := b.client(1)
	fd, _ := c.connected(fn("BOOM"))
	fd1, results := c.flowOn("net1", fn("PKT_COUNTER"))
	wantCode(t, "connect", c.Connect(t.Context(), fd1), 0)
	b.source.Send(udp(1, 0))
	if err := <-c.ended; err == nil {
		t.Error("client was told of a regular end")
	}
	other.Send(udp(1, 0))
	wantCount(t, "packets on the other device", results[0], 1)
	wantCode(t, "close", c.CloseFlow(fd), 0)
}

// TestWideResultThroughTheEngine shows that a result of any size reaches the
// client whole.
func TestWideResultThroughTheEngine(t *testing.T) {
	lib := flib.Library{Name: "wide", Functions: []flib.Def{{
		Name: "LENGTHS",
		Args: []flib.Arg{{Name: "n", Kind: flib.Int, Min: 1, Max: 100}},
		New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
			out, err := env.NewResult(8 * int(args.Int(0)))
			return &script{process: func(in []*flib.Packet) []*flib.Packet {
				b := out.Begin()
				for i := range int(args.Int(0)) {
					binary.NativeEndian.PutUint64(b[8*i:], uint64(in[0].Wire))
				}
				out.End()
				return in
			}}, err
		},
	}}}
	b := newBed(t, lib)
	c := b.client(1)
	_, results := c.connected(fn("LENGTHS", int64(3)))
	b.source.Send(udp(1, 0))
	got := make([]byte, results[0].Size())
	if err := results[0].Read(got); err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 24)
	for i := range 3 {
		binary.NativeEndian.PutUint64(want[8*i:], 60)
	}
	if !slices.Equal(got, want) {
		t.Errorf("result is %v, want %v", got, want)
	}
}
