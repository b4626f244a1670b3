package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/account"
	"gomapi/internal/bpf"
	"gomapi/internal/datapath"
	"gomapi/internal/filter"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
)

// TestLinkTypesWhileFlowsComeAndGo uses a device with ever new link types while plans are
// made: filters are compiled on one side and read on the other.
func TestLinkTypesWhileFlowsComeAndGo(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, steady := c.connected(fn("BPF_FILTER", "len >= 0"), fn("PKT_COUNTER"))
	var churn sync.WaitGroup
	stop := make(chan struct{})
	churn.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			fd, _ := c.connected(fn("BPF_FILTER", "len >= 0"), fn("PKT_COUNTER"))
			if err := c.CloseFlow(fd); err != nil {
				t.Error(err)
			}
		}
	})
	types := []uint16{1, 0, 9, 12, 105, 113, 127, 228, 229, 276}
	for _, lt := range types {
		p := udp(53, 0)
		p.LinkType = lt
		before := steady[1].Uint64()
		testenv.Until(t, fmt.Sprintf("packets of link type %d pass the filter", lt), func() bool {
			b.source.Send(p)
			return steady[1].Uint64() > before
		})
	}
	close(stop)
	churn.Wait()
	before := steady[1].Uint64()
	for _, lt := range types {
		p := udp(53, 0)
		p.LinkType = lt
		b.source.Send(p)
	}
	wantCount(t, "packets of all link types", steady[1], before+uint64(len(types)))
}

func TestLinkTypesAreBounded(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, all := c.connected(fn("PKT_COUNTER"))
	c.connected(fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	for lt := range uint16(200) {
		p := udp(53, 0)
		p.LinkType = lt
		b.source.Send(p)
	}
	wantCount(t, "packets", all[0], 200)
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	if n := len(b.engine.devices[0].cur.linkTypes); n > datapath.MaxLinkTypes {
		t.Errorf("filters were compiled for %d link types, %d are the limit", n, datapath.MaxLinkTypes)
	}
}

func TestEndedDeviceTellsLateFlowsWhy(t *testing.T) {
	release := make(chan struct{})
	slow := &script{end: func() []*flib.Packet { <-release; return nil }}
	b := newBed(t, library(map[string]*script{"SLOW": slow}))
	c := b.client(1)
	c.connected(fn("SLOW"))
	late, _ := c.flow(fn("PKT_COUNTER"))
	fault := errors.New("cut in the middle")
	b.source.End(fault)
	for ended := false; !ended; { // the end is under way now
		b.engine.mu.Lock()
		ended = b.engine.devices[0].cur.ended
		b.engine.mu.Unlock()
	}
	if err := c.Connect(t.Context(), late); !errors.Is(err, fault) {
		t.Errorf("late connect: %v, want %v", err, fault)
	}
	close(release)
	<-c.ended
}

func TestPanicsOfFunctionsCostTheCall(t *testing.T) {
	boom := func() error { panic("boom") }
	b := newBed(t, library(map[string]*script{"START": {start: boom}, "CLOSE": {close: boom}}), flib.Library{
		Name: "broken", Functions: []flib.Def{{
			Name: "NEW", New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) { panic("boom") },
		}},
	})
	c := b.client(1)
	fd, _ := c.flow(fn("START"))
	if err := c.Connect(t.Context(), fd); err == nil {
		t.Error("connect with a panic in Start succeeded")
	}
	if _, err := c.Apply(t.Context(), fd, "NEW", nil); err == nil {
		t.Error("apply with a panic in New succeeded")
	}
	closing, _ := c.connected(fn("CLOSE"))
	wantCode(t, "close with a panic in Close", c.CloseFlow(closing), 0)
}

func TestNumbersOfFunctionsComeAgain(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fd, _ := c.flow(fn("PKT_COUNTER")) // has 1
	b.engine.devices[0].lastFid = math.MaxInt32 - 1
	var got []int32
	for range 3 {
		a, err := c.Apply(t.Context(), fd, "PKT_COUNTER", nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.FID)
	}
	if want := fmt.Sprint([]int32{math.MaxInt32, 2, 3}); fmt.Sprint(got) != want {
		t.Errorf("numbers are %v, want %v", got, want)
	}
}

func TestUsersAreBounded(t *testing.T) {
	b := newBed(t)
	c := b.client(5)
	b.limit(account.Connections, 1)
	_, err := b.engine.NewSession(Owner{UID: 5}, nil)
	wantCode(t, "one session too many", err, mapierr.AuthFailed)
	b.client(6) // another user is not affected

	fd, _ := c.flow()
	before := c.taken(account.Memory)
	b.limit(account.Memory, before)
	_, err = c.Apply(t.Context(), fd, "BPF_FILTER", []any{"tcp"})
	wantCode(t, "filters beyond the limit", err, mapierr.Memory)
	b.limit(account.Memory, 2*before)
	if _, err = c.Apply(t.Context(), fd, "BPF_FILTER", []any{"tcp"}); err != nil || c.taken(account.Memory) == before {
		t.Errorf("filter within the limit: %v, %d bytes are charged", err, c.taken(account.Memory)-before)
	}
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if n := c.taken(account.Memory); n != sessionMemory {
		t.Errorf("a user without flows has %d bytes", n)
	}
	c.Session.Close()
	for _, k := range account.Kinds() {
		if k != account.Connections && c.taken(k) != 0 {
			t.Errorf("%d %v are left", c.taken(k), k)
		}
	}
}

// slowCompiler begins compilations and holds them up.
type slowCompiler struct{ begun, release chan struct{} }

func (s slowCompiler) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	s.begun <- struct{}{}
	<-s.release
	return libpcap.InProcess{}.Compile(ctx, expr, linkType)
}

// Two users who ask for many filters that take long do not make a third one wait.
func TestFewUsersDoNotTakeTheCompiler(t *testing.T) {
	b := newBed(t)
	slow := slowCompiler{make(chan struct{}, 10), make(chan struct{})}
	b.engine.opts.Compiler = slow
	var all sync.WaitGroup
	apply := func(c *client) {
		fd, _ := c.flow()
		all.Go(func() {
			if _, err := c.Apply(context.Background(), fd, "BPF_FILTER", []any{"tcp"}); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		apply(b.client(5))
		apply(b.client(6))
	}
	for range filter.MaxChildren - 1 {
		<-slow.begun
	}
	if n := len(slow.begun); n != 0 {
		t.Errorf("%d more compilations of the first two users have begun", n)
	}
	apply(b.client(7))
	<-slow.begun // this can only be the third user's
	if used := b.engine.CompileTime("user 5"); used != 0 {
		t.Errorf("a user whose filters are under way has used %v", used)
	}
	close(slow.release)
	all.Wait()
	for _, user := range []string{"user 5", "user 6", "user 7"} {
		if b.engine.CompileTime(user) == 0 {
			t.Errorf("%s has used no time", user)
		}
	}
}

func TestDiscoveredDevicesComeAndGo(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	b.driver.Add("veth1", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, HostClock: true})
	b.engine.Discover([]DeviceSpec{{Name: "veth1", Driver: "fake"}, {Name: "veth2", Driver: "fake"}})
	fd, _ := c.flowOn("veth1")
	b.engine.Discover(nil)
	if n := len(c.Devices()); n != 2 {
		t.Errorf("%d devices, want the configured one and the one in use", n)
	}
	wantCode(t, "close", c.CloseFlow(fd), 0)
	b.engine.Discover([]DeviceSpec{{Name: "veth2", Driver: "fake"}})
	for _, d := range c.Devices() {
		if d.Spec.Name == "veth2" && d.ID != 4 {
			t.Errorf("device seen again has number %d, want a new one", d.ID)
		}
	}
}

func TestNumbersContinue(t *testing.T) {
	c := newBed(t).client(1)
	c.ContinueAfter(41)
	if fd, _ := c.flow(); fd != 42 {
		t.Errorf("first flow has number %d, want 42", fd)
	}
}
