package engine

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/account"
	"gomapi/internal/compact"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/leak"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/internal/policy"
	"gomapi/internal/shm"
)

func TestMain(m *testing.M) {
	libpcap.ServeIfHelper()
	leak.Main(m)
}

const (
	ethernet = 1
	rawIP    = 12
)

// bed is an engine with one fake live device "net0", alias "uplink".
type bed struct {
	t      testing.TB
	engine *Engine
	source *fake.Source
	driver *fake.Driver
	noted  func() // see files
}

func newBed(t testing.TB, libs ...flib.Library) *bed {
	t.Helper()
	b := &bed{t: t, driver: &fake.Driver{}}
	b.source = b.driver.Add("net0", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, Snap: 65535, HostClock: true})
	var reg drivers.Registry
	reg.Add("fake", b.driver)
	b.engine = New(Options{
		Functions: flib.NewRegistry(append(libs, stdflib.Library())...),
		Drivers:   &reg,
		Compiler:  libpcap.InProcess{},
		Linger:    time.Hour, // closed by Close, or by tests that shorten it
		Log:       t.Logf,
	})
	b.engine.AddDevice(DeviceSpec{Name: "net0", Alias: "uplink", Driver: "fake"})
	t.Cleanup(b.engine.Close)
	return b
}

// limit sets how much of a kind a user may have.
func (b *bed) limit(k account.Kind, n int64) {
	l := b.engine.opts.Accounts.Limits()
	l[k] = account.Limit{User: n, All: 100*n + 100}
	b.engine.opts.Accounts.SetLimits(l)
}

// taken returns how much of a kind the user of the client has.
func (c *client) taken(k account.Kind) int64 { return c.user.account.Taken(k) }

// client is a session with a view of its results and the device ends it was notified of.
type client struct {
	*Session
	t     testing.TB
	view  *shm.View
	ended chan error
}

func (b *bed) client(uid uint32) *client {
	b.t.Helper()
	return b.join(Owner{UID: uid, Subject: policy.Subject{UID: uid}})
}

// join makes a client of anybody.
func (b *bed) join(o Owner) *client {
	b.t.Helper()
	c := &client{t: b.t, ended: make(chan error, 16)}
	s, err := b.engine.NewSession(o, func(e Ended) { c.ended <- e.Err })
	if err != nil {
		b.t.Fatal(err)
	}
	c.Session = s
	b.t.Cleanup(s.Close)
	fd, err := unix.FcntlInt(s.Results().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	if c.view, err = shm.NewView(os.NewFile(uintptr(fd), "view")); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.view.Close() })
	return c
}

// flow creates a flow on net0 with functions, each a name and arguments.
func (c *client) flow(functions ...[]any) (int32, []*shm.Reader) {
	c.t.Helper()
	return c.flowOn("net0", functions...)
}

func (c *client) flowOn(device string, functions ...[]any) (int32, []*shm.Reader) {
	c.t.Helper()
	f, err := c.CreateFlow(c.t.Context(), device)
	if err != nil {
		c.t.Fatal(err)
	}
	var results []*shm.Reader
	for _, fn := range functions {
		a, err := c.Apply(c.t.Context(), f.FD, fn[0].(string), fn[1:])
		if err != nil {
			c.t.Fatalf("%v: %v", fn, err)
		}
		var r *shm.Reader
		if a.HasResult {
			if r, err = c.view.Reader(a.Offset, a.Size); err != nil {
				c.t.Fatal(err)
			}
		}
		results = append(results, r)
	}
	return f.FD, results
}

func (c *client) connected(functions ...[]any) (int32, []*shm.Reader) {
	c.t.Helper()
	fd, results := c.flow(functions...)
	if err := c.Connect(c.t.Context(), fd); err != nil {
		c.t.Fatal(err)
	}
	return fd, results
}

func fn(name string, args ...any) []any { return append([]any{name}, args...) }

func wantCode(t testing.TB, what string, err error, want mapierr.Code) {
	t.Helper()
	if got := mapierr.CodeOf(err, 0); got != want {
		t.Errorf("%s: error %d (%v), want %d", what, int(got), err, int(want))
	}
}

func wantCount(t testing.TB, what string, r *shm.Reader, want uint64) {
	t.Helper()
	if got := r.Uint64(); got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// udp makes an Ethernet frame of a UDP packet to a port, numbered by its first
// payload bytes.
func udp(port uint16, number uint32) drivers.Packet {
	b := make([]byte, 60)
	b[12], b[13] = 0x08, 0x00
	b[14], b[23] = 0x45, 17
	binary.BigEndian.PutUint16(b[36:], port)
	binary.BigEndian.PutUint32(b[42:], number)
	return drivers.Packet{TS: pkt.FromTime(time.Now()), Link: b, Wire: 60, LinkType: ethernet}
}

func TestFlowCounts(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, all := c.connected(fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	fd, some := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	_, order := c.connected(fn("PKT_COUNTER"), fn("BPF_FILTER", "udp dst port 53"), fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0), udp(80, 1), udp(53, 2))
	wantCount(t, "packets", all[0], 3)
	wantCount(t, "bytes", all[1], 180)
	wantCount(t, "filtered packets", some[1], 2)
	wantCount(t, "packets before the filters", order[0], 3)
	wantCount(t, "packets behind the filters", order[3], 2)

	infos, err := c.Functions(fd)
	if err != nil {
		t.Fatal(err)
	}
	if f := infos[0]; f.Packets != 3 || f.Passed != 2 {
		t.Errorf("leading filter: %d packets, %d passed, want 3 and 2", f.Packets, f.Passed)
	}
	if f := infos[1]; f.Packets != 2 || f.Passed != 2 || f.ResultSize != 8 {
		t.Errorf("counter: %+v, want 2, 2 and a result of 8 bytes", f)
	}
}

func TestErrorNumbers(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	ctx := t.Context()
	_, err := c.CreateFlow(ctx, "HOW CARES")
	wantCode(t, "unknown device", err, mapierr.NoDriver)
	_, err = c.CreateFlow(ctx, "")
	wantCode(t, "no device", err, mapierr.NoDriver)
	wantCode(t, "close of an unknown flow", c.CloseFlow(13244), mapierr.InvalidFlow)
	wantCode(t, "connect of an unknown flow", c.Connect(ctx, 13244), mapierr.InvalidFlow)
	_, err = c.Apply(ctx, 13244, "PKT_COUNTER", nil)
	wantCode(t, "apply to an unknown flow", err, mapierr.InvalidFlow)

	fd, _ := c.flow()
	_, err = c.Apply(ctx, fd, "IMAGINARY FUNCTION", nil)
	wantCode(t, "unknown function", err, mapierr.FunctionNotFound)
	_, err = c.Apply(ctx, fd, "BPF_FILTER", []any{"no filter"})
	wantCode(t, "bad filter", err, mapierr.PcapBPF)
	wantCode(t, "connect", c.Connect(ctx, fd), 0)
	wantCode(t, "second connect", c.Connect(ctx, fd), mapierr.FlowAlreadyActive)
	_, err = c.Apply(ctx, fd, "BPF_FILTER", []any{"no filter"})
	wantCode(t, "apply to a connected flow", err, mapierr.CouldNotApplyFunction)
	wantCode(t, "close", c.CloseFlow(fd), 0)
	wantCode(t, "second close", c.CloseFlow(fd), mapierr.InvalidFlow)
	_, err = c.Functions(fd)
	wantCode(t, "functions of a closed flow", err, mapierr.InvalidFlow)
}

func TestAliasNamesTheDevice(t *testing.T) {
	c := newBed(t).client(1)
	f, err := c.CreateFlow(t.Context(), "uplink")
	if err != nil || f.Device != "net0" {
		t.Errorf("flow on the alias is on %q, %v", f.Device, err)
	}
}

func TestNumbers(t *testing.T) {
	b := newBed(t)
	one, two := b.client(1), b.client(2)
	fd1, _ := one.flow()
	fd2, _ := two.flow()
	if fd1 != 1 || fd2 != 1 {
		t.Errorf("first flows of two clients are %d and %d, want 1 and 1", fd1, fd2)
	}
	a, _ := one.Apply(t.Context(), fd1, "PKT_COUNTER", nil)
	if _, err := two.Apply(t.Context(), fd2, "BPF_FILTER", []any{""}); err == nil {
		t.Fatal("empty filter was accepted")
	}
	c, _ := two.Apply(t.Context(), fd2, "PKT_COUNTER", nil)
	if a.FID != 1 || c.FID != 3 {
		t.Errorf("function numbers %d and %d, want 1 and 3: they count per device and a failed apply burns one", a.FID, c.FID)
	}
}

func TestForeignFlows(t *testing.T) {
	b := newBed(t)
	mine, sibling, stranger, root := b.client(7), b.client(7), b.client(8), b.client(0)
	fd, _ := mine.flow(fn("PKT_COUNTER"))
	for _, c := range []struct {
		name string
		*client
		sees int
	}{{"owner", mine, 1}, {"same user", sibling, 1}, {"other user", stranger, 0}, {"root", root, 1}} {
		flows := c.Flows()
		if len(flows) != c.sees {
			t.Errorf("%s sees %d flows, want %d", c.name, len(flows), c.sees)
		}
		if c.client == mine || len(flows) == 0 {
			continue
		}
		seen := flows[0].FD
		if seen < ForeignFD {
			t.Errorf("%s sees the flow as %d, which could be its own", c.name, seen)
		}
		if infos, err := c.Functions(seen); err != nil || len(infos) != 1 {
			t.Errorf("%s cannot look at functions: %v", c.name, err)
		}
		for _, n := range []int32{fd, seen} {
			wantCode(t, c.name+" closes", c.CloseFlow(n), mapierr.InvalidFlow)
			wantCode(t, c.name+" connects", c.Connect(t.Context(), n), mapierr.InvalidFlow)
		}
	}
}

func TestFlowNeverSeesEarlierPackets(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	old := udp(53, 0)
	fd, results := c.connected(fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	_, open := c.connected(fn("PKT_COUNTER"))
	b.source.Send(old, udp(53, 1)) // old was waiting in the ring
	b.source.Send(udp(53, 2))
	wantCount(t, "packets", results[1], 2)
	wantCount(t, "packets without filter", open[0], 2)
	infos, _ := c.Functions(fd)
	if infos[0].Packets != 2 {
		t.Errorf("filter was asked about %d packets, want 2", infos[0].Packets)
	}
}

func TestCloseOnSilentDevice(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fd, _ := c.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(1, 0))
	if err := c.CloseFlow(fd); err != nil {
		t.Fatal(err)
	}
	_, other := c.connected(fn("PKT_COUNTER")) // in the memory of the first
	b.source.Send(udp(1, 1))
	wantCount(t, "packets of the other flow", other[0], 1)
}

func TestEqualFiltersKeepTheirOwnResults(t *testing.T) {
	b := newBed(t)
	one, two := b.client(1), b.client(2)
	_, r1 := one.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0))
	fd2, r2 := two.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	b.source.Send(udp(53, 1), udp(54, 2))
	wantCount(t, "first flow", r1[1], 2)
	wantCount(t, "second flow", r2[1], 1)
	if err := two.CloseFlow(fd2); err != nil {
		t.Fatal(err)
	}
	b.source.Send(udp(53, 3))
	wantCount(t, "first flow after the second was closed", r1[1], 3)
}

func TestLinkTypesInOneBatch(t *testing.T) {
	b, _ := mixedBed(t, &gate{linkType: 0xffff}, ethernet, rawIP)
	c := b.client(1)
	_, results := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	_, vlan := c.connected(fn("BPF_FILTER", "not vlan"), fn("PKT_COUNTER"))
	_, behind := c.connected(fn("PKT_COUNTER"), fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	raw := udp(53, 1)
	raw.Link, raw.LinkType = raw.Link[14:], rawIP
	b.source.Send(udp(53, 0), raw, udp(80, 2), raw, udp(53, 3))
	wantCount(t, "packets of both link types", results[1], 4)
	wantCount(t, "packets of the link type with tags", vlan[1], 3)
	wantCount(t, "packets behind a second filter", behind[2], 4)
	_, late := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	raw.TS = pkt.FromTime(time.Now())
	b.source.Send(raw)
	wantCount(t, "flow connected later", late[1], 1)
}

func TestDeviceThatFails(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fd, results := c.connected(fn("PKT_COUNTER"))
	idle, _ := c.flow(fn("PKT_COUNTER"))
	b.source.Send(udp(1, 0))
	fault := mapierr.New(mapierr.PcapOpen, "cable eaten")
	b.source.End(fault)
	if err := <-c.ended; err != fault {
		t.Errorf("client was told %v, want %v", err, fault)
	}
	flows := c.Flows()
	if flows[0].Status != FlowFinished || flows[0].End.IsZero() {
		t.Errorf("flow after the failure is %+v, want finished with an end", flows[0])
	}
	if flows[1].Status != FlowInit {
		t.Errorf("flow that was not connected is %v", flows[1].Status)
	}
	wantCount(t, "last result", results[0], 1)
	if err := c.Connect(t.Context(), idle); !errors.Is(err, fault) || mapierr.CodeOf(err, 0) != fault.Code {
		t.Errorf("connect on the failed device: %v, want %v", err, fault)
	}
	if s := c.Flows()[1].Status; s != FlowInit {
		t.Errorf("flow connected after the failure is %v", s)
	}
	wantCode(t, "connect of the finished flow", c.Connect(t.Context(), fd), mapierr.FlowAlreadyActive)
	_, again := c.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(1, 1))
	wantCount(t, "packets of a new flow", again[0], 1)
	wantCode(t, "close of the finished flow", c.CloseFlow(fd), 0)
	if n := b.source.Opened(); n != 2 {
		t.Errorf("device was opened %d times, want 2", n)
	}
}

func TestDeviceClosesAfterLinger(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Linger = 0
	c := b.client(1)
	fd, _ := c.connected()
	if n := b.source.Open(); n != 1 {
		t.Fatalf("%d devices open with a flow", n)
	}
	if err := c.CloseFlow(fd); err != nil {
		t.Fatal(err)
	}
	b.engine.tasks.Wait()
	if n := b.source.Open(); n != 0 {
		t.Errorf("%d devices open without a flow", n)
	}
	_, results := c.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(1, 0))
	wantCount(t, "packets after reopening", results[0], 1)
}

func TestSessionEndReleasesEverything(t *testing.T) {
	b := newBed(t)
	c, other := b.client(1), b.client(1)
	c.connected(fn("PKT_COUNTER"))
	c.connected(fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"))
	c.flow(fn("PKT_COUNTER"))
	c.Close()
	if n := len(other.Flows()); n != 0 {
		t.Errorf("%d flows are left", n)
	}
	_, err := c.CreateFlow(t.Context(), "net0")
	wantCode(t, "create over an ended session", err, mapierr.ShuttingDown)
}

// TestFlowsComeAndGoUnderTraffic keeps changing the plan while packets come. A permanent flow
// must miss no packet, and the short-lived ones must be exact too.
func TestFlowsComeAndGoUnderTraffic(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, steady := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	const batches, size = 2000, 8
	var traffic sync.WaitGroup
	traffic.Go(func() {
		for i := range batches {
			var pkts []drivers.Packet
			for j := range size {
				pkts = append(pkts, udp(53, uint32(i*size+j)))
			}
			b.source.Send(pkts...)
		}
	})
	var churn sync.WaitGroup
	for uid := range uint32(3) {
		cc := b.client(uid + 10)
		churn.Go(func() {
			for range 200 {
				fd, _ := cc.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"), fn("PKT_COUNTER"))
				if err := cc.CloseFlow(fd); err != nil {
					t.Error(err)
				}
			}
		})
	}
	traffic.Wait()
	churn.Wait()
	wantCount(t, "packets of the steady flow", steady[1], batches*size)
}

func TestNoAllocationPerPacket(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	b.engine.mu.Lock()
	b.engine.devices[0].cur.compactor.building = compact.Building{Small: true, Large: true} // builds nothing meanwhile
	b.engine.mu.Unlock()
	c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	c.connected(fn("BPF_FILTER", "udp dst port 80"), fn("PKT_COUNTER"), fn("BPF_FILTER", "udp"), fn("BYTE_COUNTER"))
	pkts := make([]drivers.Packet, drivers.MaxBatch)
	for i := range pkts {
		pkts[i] = udp(uint16(53+27*(i%2)), uint32(i))
	}
	b.source.Send(pkts...) // makes the loop load the plan
	loop := b.engine.devices[0].cur.loop
	if n := testing.AllocsPerRun(100, func() { loop.Batch(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}
