package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/internal/ring"
)

// hostile is a function that fails at one point of its life.
type hostile struct{ at string }

func (h *hostile) fail(at string) {
	if h.at == at {
		panic("failed in " + at)
	}
}

func (h *hostile) Start() error { h.fail("Start"); return nil }
func (h *hostile) Stop()        { h.fail("Stop") }
func (h *hostile) Close() error { h.fail("Close"); return nil }
func (h *hostile) Process(in []*flib.Packet) []*flib.Packet {
	h.fail("Process")
	return in
}
func (h *hostile) Deadline() uint64 { h.fail("Deadline"); return 0 }
func (h *hostile) Expire(now uint64) []*flib.Packet {
	h.fail("Expire")
	return nil
}
func (h *hostile) End() []*flib.Packet { h.fail("End"); return nil }
func (h *hostile) Publish()            { h.fail("Publish") }
func (h *hostile) Analyse(pkts []flib.Packet, marks []uint8) {
	h.fail("Analyse")
}

// stateless is a hostile filter that flows share.
type stateless struct{ hostile *hostile }

func (s *stateless) Process(in []*flib.Packet) []*flib.Packet { return s.hostile.Process(in) }
func (s *stateless) Stateless()                               {}

// maker makes a library with a function of this name.
func maker(name string, make func(env flib.Env) (flib.Function, error)) flib.Library {
	return flib.Library{Name: "made", Functions: []flib.Def{{Name: name, New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		return make(env)
	}}}}
}

// bomb makes a library with a function that fails.
func bomb(at string) flib.Library {
	return maker("BOMB", func(env flib.Env) (flib.Function, error) {
		h := &hostile{at: at}
		h.fail("New")
		if at != "Analyse" {
			return h, nil
		}
		_, err := env.Analyser("bomb.analyser", func() (flib.Analyser, error) { return h, nil })
		return h, err
	})
}

// A function that fails ends its flows with 7007 and a text that names it, is logged once, and
// no other flow misses a packet.
func TestFunctionsThatFail(t *testing.T) {
	for _, at := range []string{"Process", "Deadline", "Expire", "End", "Publish", "Analyse"} {
		for _, inStep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,lockstep=%v", at, inStep), func(t *testing.T) {
				b := newBed(t, bomb(at))
				var logged []string
				b.engine.opts.Log = func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) }
				c := b.client(1)
				before, one := c.connected(fn("PKT_COUNTER"))
				bad, _ := c.flow(fn("PKT_COUNTER"), fn("BOMB"), fn("TO_BUFFER"), fn("PKT_COUNTER"))
				if inStep {
					c.inLockstep(bad)
				}
				if err := c.Connect(t.Context(), bad); err != nil {
					t.Fatal(err)
				}
				after, two := c.connected(fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
				for i := range 200 { // more batches than between two publications
					b.source.Send(udp(53, uint32(i)), udp(53, uint32(i)))
				}
				b.source.End(nil)
				for range 2 { // the flow and the device
					<-c.ended
					if at == "End" {
						break // no more than once in the end
					}
				}
				wantCount(t, "packets of the flow before", one[0], 400)
				wantCount(t, "packets of the flow behind", two[1], 400)
				c.balance([]int32{before, bad, after})
				f, _ := c.Flow(bad)
				wantCode(t, "the flow", f.Err, mapierr.CouldNotInitFunction)
				if f.Err == nil || !strings.Contains(f.Err.Error(), "failed in "+at) || f.Status == FlowActive && at != "Process" {
					t.Errorf("the flow is %d with %v", f.Status, f.Err)
				}
				n := 0
				for _, line := range logged {
					if strings.Contains(line, "failed in "+at) {
						n++
						if !strings.Contains(line, "hostile_test.go") {
							t.Errorf("the log has no stack: %s", line)
						}
						if at == "Process" && !strings.Contains(line, "000000000000000000000000080045") {
							t.Errorf("the log does not have the packet: %s", line)
						}
					}
				}
				if books, err := c.DeviceBooks("net0"); err != nil || note(t, books, "functions that failed") != 1 {
					t.Errorf("books of the device: %+v, %v", books, err)
				}
				if n != 1 {
					t.Errorf("logged %d times: %q", n, logged)
				}
			})
		}
	}
}

// If flows share the function, all of them end, and no others.
func TestSharedFunctionThatFails(t *testing.T) {
	shared := &hostile{}
	b := newBed(t, maker("SHARED", func(flib.Env) (flib.Function, error) { return &stateless{shared}, nil }))
	c := b.client(1)
	var bad []int32
	for range 5 {
		fd, _ := c.connected(fn("PKT_COUNTER"), fn("SHARED"), fn("PKT_COUNTER"))
		bad = append(bad, fd)
	}
	good, counts := c.connected(fn("PKT_COUNTER"), fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0)) // all have caught up
	if s := b.merged(); s == nil || s.Stats().Nodes < 2 {
		t.Fatal("the flows do not share their functions")
	}
	shared.at = "Process"
	for i := range 10 {
		b.source.Send(udp(53, uint32(i)), udp(53, uint32(i)))
	}
	for _, fd := range bad {
		f, _ := c.Flow(fd)
		wantCode(t, "a flow that shares it", f.Err, mapierr.CouldNotInitFunction)
	}
	wantCount(t, "packets of another flow", counts[2], 21)
	c.balance(append(bad, good))
	for _, fd := range bad {
		wantCode(t, "close", c.CloseFlow(fd), 0)
	}
	b.source.Send(udp(53, 0))
	wantCount(t, "packets of another flow", counts[2], 22)
}

// A failure while the flow is made or closed is an error of that call only.
func TestFunctionsThatFailElsewhere(t *testing.T) {
	for _, at := range []string{"New", "Start", "Close", "End"} {
		b := newBed(t, bomb(at))
		c := b.client(1)
		_, counts := c.connected(fn("PKT_COUNTER"))
		f, err := c.CreateFlow(t.Context(), "net0")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Apply(t.Context(), f.FD, "BOMB", nil)
		if (at == "New") != (err != nil) {
			t.Errorf("%s: apply: %v", at, err)
		}
		if err == nil {
			if err := c.Connect(t.Context(), f.FD); (at == "Start") != (err != nil) {
				t.Errorf("%s: connect: %v", at, err)
			}
		}
		b.source.Send(udp(53, 0))
		wantCode(t, at+": close", c.CloseFlow(f.FD), 0)
		b.source.Send(udp(53, 0))
		wantCount(t, at+": another flow", counts[0], 2)
	}
}

// The reader of a flow that has failed gets its packets, and then the end.
func TestReaderOfAFlowThatFails(t *testing.T) {
	b := newBed(t, bomb("Process"))
	c := b.client(1)
	f, err := c.CreateFlow(t.Context(), "net0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Apply(t.Context(), f.FD, "TO_BUFFER", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.Open(a.Ring.Files()...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := c.Apply(t.Context(), f.FD, "BOMB", nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "connect", c.Connect(t.Context(), f.FD), 0)
	b.source.Send(udp(53, 0))
	if _, err := r.Next(t.Context()); err != nil {
		t.Errorf("the packet from before the failure: %v", err)
	}
	if _, err := r.Next(t.Context()); err != io.EOF {
		t.Errorf("behind it: %v, want EOF", err)
	}
}

// A fault does not leave the sequence of a result odd, for which readers would wait.
func TestFaultWithinAResult(t *testing.T) {
	lib := maker("HALF", func(env flib.Env) (flib.Function, error) {
		result, err := env.NewResult(64)
		return &script{process: func(in []*flib.Packet) []*flib.Packet {
			result.Begin()[0] = 1
			panic("half")
		}}, err
	})
	b := newBed(t, lib)
	c := b.client(1)
	_, results := c.connected(fn("HALF"))
	b.source.Send(udp(53, 0))
	if err := results[0].Read(make([]byte, 64)); err != nil {
		t.Error(err)
	}
}

// Nothing is allocated per packet with emission, deadlines and marks.
func TestContractsDoNotAllocate(t *testing.T) {
	own := make([]pkt.Packet, 3)
	list := []*flib.Packet{{}, {}, {}}
	for i := range own {
		own[i] = udp(53, 1)
		list[i] = &own[i]
	}
	at := uint64(0)
	emit := &script{
		emits: true,
		process: func(in []*flib.Packet) []*flib.Packet {
			if len(in) == 0 {
				return nil
			}
			return list
		},
		expire: func(now uint64) []*flib.Packet { at++; return list[:at%2] },
	}
	lib := library(map[string]*script{"EMIT": emit})
	var marks *flib.Marks
	mark := maker("MARK", func(env flib.Env) (_ flib.Function, err error) {
		marks, err = env.Analyser("test.first", func() (flib.Analyser, error) { return first{}, nil })
		return &script{process: func(in []*flib.Packet) []*flib.Packet {
			if marks.Of(in[0]) == 0 {
				t.Error("the first packet has no mark")
			}
			return in
		}}, err
	})
	b := newBed(t, lib, mark)
	c := b.client(1)
	c.connected(fn("MARK"), fn("EMIT"), fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	pkts := slices.Repeat([]drivers.Packet{udp(53, 0)}, 64)
	b.source.Send(pkts...)
	loop := b.loop()
	if n := testing.AllocsPerRun(100, func() { loop.Batch(pkts) }); n > 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

// first marks the first packet of a batch.
type first struct{}

func (first) Analyse(_ []flib.Packet, marks []uint8) { marks[0] = 1 }

// An analyser that cannot be made refuses the function, and one that failed refuses others
// until its flows are closed.
func TestAnalyserOfADevice(t *testing.T) {
	fail := true
	lib := maker("A", func(env flib.Env) (flib.Function, error) {
		_, err := env.Analyser("a.a", func() (flib.Analyser, error) {
			if fail {
				return nil, errors.New("no paper")
			}
			return &hostile{at: "Analyse"}, nil
		})
		return &script{}, err
	})
	b := newBed(t, lib)
	c := b.client(1)
	apply := func() (int32, error) {
		f, err := c.CreateFlow(t.Context(), "net0")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Apply(t.Context(), f.FD, "A", nil)
		return f.FD, err
	}
	if _, err := apply(); err == nil || !strings.Contains(err.Error(), "no paper") {
		t.Errorf("apply: %v", err)
	}
	fail = false
	fd, err := apply()
	if err != nil || c.Connect(t.Context(), fd) != nil {
		t.Fatal(err)
	}
	b.source.Send(udp(53, 0))
	f, _ := c.Flow(fd)
	wantCode(t, "the flow", f.Err, mapierr.CouldNotInitFunction)
	_, err = apply()
	wantCode(t, "another flow", err, mapierr.CouldNotInitFunction)
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if _, err := apply(); err != nil {
		t.Errorf("apply after the flow is closed: %v", err)
	}
}

// A flow that was applied before its analyser has failed cannot be connected.
func TestConnectAfterTheAnalyserFailed(t *testing.T) {
	b := newBed(t, bomb("Analyse"))
	c := b.client(1)
	late, _ := c.flow(fn("BOMB"))
	first, _ := c.connected(fn("BOMB"))
	b.source.Send(udp(53, 0))
	f, _ := c.Flow(first)
	wantCode(t, "the flow", f.Err, mapierr.CouldNotInitFunction)
	wantCode(t, "connect", c.Connect(t.Context(), late), mapierr.CouldNotInitFunction)
}

// Closing a flow whose functions hold packets does not touch what the capture goroutine uses.
func TestCloseWhileHeld(t *testing.T) {
	b := newBed(t, flibtest.Library())
	c := b.client(1)
	_, open := c.connected(fn("LENGTHS"), fn("PKT_COUNTER"))
	stop := b.rush([]pkt.Packet{udp(53, 0), udp(7, 1)})
	for range 50 {
		fd, _ := c.connected(fn("LEARNED"), fn("PKT_COUNTER"))
		held, _ := c.connected(fn("ECHO"), fn("LEARNED"), fn("LENGTHS"), fn("PKT_COUNTER"))
		wantCode(t, "close", c.CloseFlow(held), 0)
		wantCode(t, "close", c.CloseFlow(fd), 0)
	}
	stop()
	if open[1].Uint64() == 0 {
		t.Error("no packets have come")
	}
}

// What a user causes is logged as this user's, and what becomes of a live device is nobody's.
func TestLinesOfUsers(t *testing.T) {
	b := newBed(t, bomb("Process"))
	var mu sync.Mutex
	lines := make(map[string]string) // the user, by the beginning of the line
	note := func(user string, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		line, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
		lines[line] = user
	}
	const nobody = "nobody"
	b.engine.opts.Log = func(format string, args ...any) { note(nobody, format, args...) }
	b.engine.opts.UserLog = note
	c, other := b.client(5), b.client(6)
	c.connected(fn("PKT_COUNTER"), fn("BOMB"))
	other.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(53, 1))
	<-c.ended
	b.source.End(mapierr.New(mapierr.PcapOpen, "cable eaten"))
	<-other.ended
	mu.Lock()
	defer mu.Unlock()
	for text, want := range map[string]string{"function BOMB failed": "user 5", "net0 ended": nobody} {
		found := false
		for line, user := range lines {
			if strings.Contains(line, text) {
				found = true
				if user != want {
					t.Errorf("%q is logged for %q, want %q", line, user, want)
				}
			}
		}
		if !found {
			t.Errorf("no line with %q in %v", text, lines)
		}
	}
}
