package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
)

func spec(name string, params ...string) DeviceSpec {
	s := DeviceSpec{Name: name, Driver: "fake", Params: map[string]string{}}
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		s.Params[key] = value
	}
	return s
}

func TestCompare(t *testing.T) {
	other := spec("a")
	other.Driver = "mapidagdrv"
	bare := spec("a")
	bare.Params = nil
	labels := spec("a")
	labels.Alias, labels.Description, labels.LinkSpeed, labels.MPLS, labels.VLAN = "x", "y", 1, true, true
	list := func(s ...DeviceSpec) []DeviceSpec { return s }
	for _, c := range []struct {
		what      string
		old, want []DeviceSpec
		diff      Difference
	}{
		{"nothing", nil, nil, Difference{}},
		{"the same", list(spec("a", "snap=64"), spec("b")), list(spec("b"), spec("a", "snap=64")), Difference{}},
		{"no parameters", list(spec("a")), list(bare), Difference{}},
		{"labels", list(spec("a")), list(labels), Difference{}},
		{"new ones", list(spec("b")), list(spec("c"), spec("b"), spec("a")), Difference{Added: []string{"c", "a"}}},
		{"gone", list(spec("a"), spec("b")), nil, Difference{Removed: []string{"a", "b"}}},
		{"value", list(spec("a", "snap=64")), list(spec("a", "snap=65")), Difference{Changed: []string{"a"}}},
		{"key", list(spec("a", "snap=64")), list(spec("a", "ring_mb=64")), Difference{Changed: []string{"a"}}},
		{"driver", list(spec("a")), list(other), Difference{Changed: []string{"a"}}},
		{"all at once", list(spec("a"), spec("b"), spec("c")), list(spec("d"), spec("c", "snap=64"), spec("a")),
			Difference{Added: []string{"d"}, Changed: []string{"c"}, Removed: []string{"b"}}},
	} {
		if diff := cmp.Diff(c.diff, compare(c.old, c.want)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

// told waits until a client is notified of the end of a device.
func (c *client) told() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(testenv.Patience):
		c.t.Fatal("nobody tells that the device has ended")
		return nil
	}
}

// TestSetDevices changes one device, removes another and keeps a third.
func TestSetDevices(t *testing.T) {
	b := newBed(t)
	changing := b.driver.Add("net1", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, HostClock: true})
	b.driver.Add("net2", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, HostClock: true})
	b.engine.SetDevices([]DeviceSpec{spec("net0"), spec("net1"), spec("net2")})
	steady, c := b.client(1), b.client(1)
	_, kept := steady.connected(fn("PKT_COUNTER"))
	ending, results := c.flowOn("net1", fn("PKT_COUNTER"))
	early, _ := c.flowOn("net1", fn("PKT_COUNTER")) // not connected
	wantCode(t, "connect", c.Connect(t.Context(), ending), 0)
	b.source.Send(udp(53, 0))
	changing.Send(udp(53, 0), udp(53, 1))

	labelled := spec("net0")
	labelled.Alias, labelled.LinkSpeed = "core", 1000
	diff := b.engine.SetDevices([]DeviceSpec{spec("net3"), spec("net1", "snap=64"), labelled})
	want := Difference{Added: []string{"net3"}, Changed: []string{"net1"}, Removed: []string{"net2"}, ChangedFlows: 2}
	if d := cmp.Diff(want, diff); d != "" {
		t.Errorf("difference (-want +got):\n%s", d)
	}
	wantCode(t, "end of net1", c.told(), mapierr.NoDriver)
	info, _ := c.Flow(ending)
	if info.Status != FlowFinished || mapierr.CodeOf(info.Err, 0) != mapierr.NoDriver ||
		!strings.Contains(fmt.Sprint(info.Err), "configuration was changed") {
		t.Errorf("flow is %v with %v, want finished because of the configuration", info.Status, info.Err)
	}
	wantCount(t, "packets of the ended flow", results[0], 2)
	wantCode(t, "connect after the change", c.Connect(t.Context(), early), mapierr.NoDriver)
	if info, _ := c.Flow(early); info.Status != FlowInit {
		t.Errorf("flow connected late is %v", info.Status)
	}
	if changing.Open() != 0 {
		t.Error("net1 is still open")
	}

	_, again := c.flowOn("net1", fn("PKT_COUNTER"))
	wantCode(t, "connect anew", c.Connect(t.Context(), early+1), 0)
	changing.Send(udp(53, 2))
	wantCount(t, "packets of the new flow", again[0], 1)
	b.source.Send(udp(53, 1))
	wantCount(t, "packets of the steady flow", kept[0], 2)
	if b.source.Opened() != 1 || len(steady.ended) != 0 {
		t.Errorf("net0 was opened %d times and ended %d times", b.source.Opened(), len(steady.ended))
	}
	_, err := c.CreateFlow(t.Context(), "net2")
	wantCode(t, "flow on the removed device", err, mapierr.NoDriver)
	_, err = c.CreateFlow(t.Context(), "core")
	wantCode(t, "flow by the new alias", err, 0)
	_, err = c.CreateFlow(t.Context(), "uplink")
	wantCode(t, "flow by the old alias", err, mapierr.NoDriver)
	var got []string
	for _, d := range c.Devices() {
		got = append(got, fmt.Sprint(d.ID, " ", d.Spec.Name, " ", d.Spec.LinkSpeed, " ", d.Spec.Params["snap"]))
	}
	if d := cmp.Diff([]string{"1 net0 1000 ", "2 net1 0 64", "4 net3 0 "}, got); d != "" {
		t.Errorf("devices (-want +got):\n%s", d)
	}
}

// TestRemovedDeviceCanComeBack adds a removed device again: same name, new number.
func TestRemovedDeviceCanComeBack(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fd, _ := c.connected(fn("PKT_COUNTER"))
	b.engine.SetDevices(nil)
	wantCode(t, "end", c.told(), mapierr.NoDriver)
	b.engine.SetDevices([]DeviceSpec{spec("net0")})
	if id := c.Devices()[0].ID; id != 2 {
		t.Errorf("device that came back has number %d, want a new one", id)
	}
	_, results := c.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0))
	wantCount(t, "packets", results[0], 1)
	wantCode(t, "close of the flow on the removed device", c.CloseFlow(fd), 0)
}

// slowDriver waits before it opens a device.
type slowDriver struct {
	drivers.Driver
	begun, release chan struct{}
}

func (d slowDriver) Open(ctx context.Context, c drivers.Config) (drivers.Device, error) {
	d.begun <- struct{}{}
	select {
	case <-d.release:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return d.Driver.Open(ctx, c)
}

// TestSetDevicesWhileOpening changes a device that is being opened: the flow is created, and
// connect fails with the reason.
func TestSetDevicesWhileOpening(t *testing.T) {
	b := newBed(t)
	slow := slowDriver{b.driver, make(chan struct{}, 1), make(chan struct{})}
	b.engine.opts.Drivers.Add("slow", slow)
	b.driver.Add("net1", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, HostClock: true})
	opening := spec("net1")
	opening.Driver = "slow"
	b.engine.SetDevices([]DeviceSpec{opening})
	c := b.client(1)
	var both sync.WaitGroup
	var fd int32
	both.Go(func() { fd, _ = c.flowOn("net1", fn("PKT_COUNTER")) })
	<-slow.begun
	both.Go(func() { b.engine.SetDevices([]DeviceSpec{spec("net1")}) })
	close(slow.release)
	both.Wait()
	wantCode(t, "connect", c.Connect(t.Context(), fd), mapierr.NoDriver)
}

// TestSetDevicesWhileClosing closes the engine during changes.
func TestSetDevicesWhileClosing(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	var changes sync.WaitGroup
	begun := make(chan struct{})
	changes.Go(func() {
		for i := range 50 {
			b.engine.SetDevices([]DeviceSpec{spec("net0", fmt.Sprintf("snap=%d", i))})
			if i == 0 {
				close(begun)
			}
		}
	})
	<-begun
	b.engine.Close()
	changes.Wait()
	if b.source.Open() != 0 {
		t.Error("a device is open after Close")
	}
}

// TestSetDevicesWhileFlowsComeAndGo: every flow either counts or ends with the
// reason.
func TestSetDevicesWhileFlowsComeAndGo(t *testing.T) {
	b := newBed(t)
	var clients sync.WaitGroup
	for range 4 {
		c := b.client(1)
		c.ended = make(chan error, 10000)
		clients.Go(func() {
			for range 100 {
				f, err := c.CreateFlow(context.Background(), "net0")
				if err != nil {
					wantCode(t, "create", err, mapierr.NoDriver)
					continue
				}
				_, err = c.Apply(context.Background(), f.FD, "PKT_COUNTER", nil)
				wantCode(t, "apply", err, 0)
				if err := c.Connect(context.Background(), f.FD); err != nil { // the device has ended meanwhile
					wantCode(t, "connect", err, mapierr.NoDriver)
				}
				wantCode(t, "close", c.CloseFlow(f.FD), 0)
			}
		})
	}
	for i := range 100 {
		specs := []DeviceSpec{spec("net0", fmt.Sprintf("snap=%d", i))}
		if i%5 == 4 {
			specs = nil
		}
		b.engine.SetDevices(specs)
	}
	clients.Wait()
	b.engine.SetDevices(nil)
	if b.source.Open() != 0 {
		t.Error("a device is open that was removed")
	}
}
