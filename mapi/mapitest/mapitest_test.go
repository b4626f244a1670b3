package mapitest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"gomapi/internal/leak"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, what string, err error, code mapi.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("%s: %v, want error %d", what, err, int(code))
	}
}

// counting creates a connected flow that counts the packets of a device.
func counting(t *testing.T, c *mapi.Client, device string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	must(t, err)
	packets, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(t, err)
	must(t, f.Connect(t.Context()))
	return f, packets
}

func counted(t *testing.T, what string, packets *mapi.Function, want uint64) {
	t.Helper()
	if n, err := packets.Uint64(); n != want || err != nil {
		t.Errorf("%s: %d packets, %v, want %d", what, n, err, want)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before, err := leak.Held()
	must(t, err)
	d, err := mapitest.New()
	must(t, err)
	_, packets := counting(t, d.Client(), "eth0")
	must(t, d.Device("eth0").Send(mapitest.Packet{Data: tcp(80)}))
	counted(t, "open", packets, 1)
	for range 2 {
		must(t, d.Close())
	}
	if _, err := os.Lstat(filepath.Dir(d.Socket())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder of the socket: %v", err)
	}
	wants(t, "send after the end", d.Device("eth0").Send(mapitest.Packet{}), mapi.ErrStats)
	_, err = d.Client().CreateFlow(t.Context(), "eth0")
	wants(t, "flow after the end", err, mapi.ErrCommInitSocket)
	wants(t, "read after the end", second(packets.Uint64()), mapi.ErrInvalidFlow)
	packets = nil
	runtime.GC() // the mapping of results ends with its last reader
	if err := leak.Since(before); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestManyDaemonsInParallel(t *testing.T) {
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			one, other := mapitest.Start(t), mapitest.Start(t)
			_, here := counting(t, one.Client(), "eth0")
			_, there := counting(t, other.Client(), "eth0")
			for range 10 {
				must(t, one.Device("eth0").Send(mapitest.Packet{Data: tcp(80)}, mapitest.Packet{Data: tcp(22)}))
			}
			must(t, other.Device("eth0").Send(mapitest.Packet{Data: tcp(80)}))
			counted(t, "one", here, 20)
			counted(t, "other", there, 1)
		})
	}
}

// A recorder is a testing.TB whose outcome a test checks.
type recorder struct {
	testing.TB
	cleanups []func()
	said     string
}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(f func())  { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) { r.said += fmt.Sprintln(args...) }
func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

// start calls Start and ends the recorded test.
func (r *recorder) start(during func(*mapitest.Daemon)) {
	var test sync.WaitGroup
	test.Go(func() { during(mapitest.Start(r)) })
	test.Wait()
	for _, f := range r.cleanups {
		f()
	}
}

func TestStartFailsTheTest(t *testing.T) {
	dir := t.TempDir()
	for want, tmp := range map[string]string{
		"directory for the socket":      filepath.Join(dir, "none"),
		"set TMPDIR to a shorter one\n": filepath.Join(dir, strings.Repeat("long/", 30)),
	} {
		if strings.HasPrefix(want, "set") {
			must(t, os.MkdirAll(tmp, 0o700))
		}
		t.Setenv("TMPDIR", tmp)
		r := &recorder{TB: t}
		r.start(func(*mapitest.Daemon) { t.Error("the test continues") })
		if !strings.Contains(r.said, want) {
			t.Errorf("test failed with %q, want %q", r.said, want)
		}
		if left, _ := os.ReadDir(tmp); len(left) > 0 {
			t.Errorf("leaked: %v", left)
		}
	}
	t.Setenv("TMPDIR", dir)
	r := &recorder{TB: t}
	r.start(func(d *mapitest.Daemon) { counting(t, d.Client(), "eth0") })
	if r.said != "" {
		t.Errorf("a good test failed with %q", r.said)
	}
}

func TestImpossibleDevices(t *testing.T) {
	for what, specs := range map[string][]mapitest.DeviceSpec{
		"no name":        {{}},
		"same name":      {{Name: "a"}, {Name: "a"}},
		"alias is taken": {{Name: "a"}, {Name: "b", Alias: "a"}},
		"name is taken":  {{Name: "a", Alias: "b"}, {Name: "b"}},
		"link type":      {{Name: "a", LinkType: 1 << 16}},
		"no link type":   {{Name: "a", LinkType: -1}},
		"speed":          {{Name: "a", LinkSpeed: -1}},
	} {
		d, err := mapitest.New(specs...)
		wants(t, what, err, mapi.ErrDeviceInfo)
		if d != nil {
			must(t, d.Close())
		}
	}
}

func TestDevicesAreAsSpecified(t *testing.T) {
	d := mapitest.Start(t,
		mapitest.DeviceSpec{Name: "a", Alias: "up", Description: "to the world", LinkSpeed: 1000, VLAN: true},
		mapitest.DeviceSpec{Name: "card", Unavailable: true},
		mapitest.DeviceSpec{Name: "tun", LinkType: 12}) // raw IP
	devices, err := d.Client().Devices(t.Context())
	must(t, err)
	if len(devices) != 3 || devices[0].Alias != "up" || devices[0].Description != "to the world" || devices[0].LinkSpeed != 1000 ||
		!devices[0].VLAN || devices[0].MPLS || devices[1].Unavailable == "" || devices[2].Unavailable != "" {
		t.Errorf("devices are %+v", devices)
	}
	wants(t, "flow on a device without driver", second(d.Client().CreateFlow(t.Context(), "card")), mapi.ErrNoDriver)
	wants(t, "packets for it", d.Device("card").Send(mapitest.Packet{}), mapi.ErrStats)
	f, err := d.Client().CreateFlow(t.Context(), "tun")
	must(t, err)
	if f.LinkType() != 12 {
		t.Errorf("link type %d", f.LinkType())
	}
	_, err = f.Apply(t.Context(), "BPF_FILTER", "tcp dst port 80")
	must(t, err)
	packets, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(t, err)
	must(t, f.Connect(t.Context()))
	must(t, d.Device("tun").Send(mapitest.Packet{Data: tcp(80)[14:]}, mapitest.Packet{Data: tcp(80)}))
	counted(t, "raw IP", packets, 1)
}

func TestUnknownDevice(t *testing.T) {
	dev := mapitest.Start(t).Device("eth1")
	for what, err := range map[string]error{
		"Send":       dev.Send(mapitest.Packet{}),
		"SendAll":    dev.SendAll(func(func(mapitest.Packet) bool) {}),
		"Play":       second(dev.Play("x")),
		"Lose":       dev.Lose(1),
		"End":        dev.End(nil),
		"Remove":     dev.Remove(),
		"Restore":    dev.Restore(),
		"AwaitFlows": dev.AwaitFlows(t.Context(), 1),
	} {
		wants(t, what, err, mapi.ErrNoDriver)
		if err != nil && !strings.HasSuffix(err.Error(), "this daemon has eth0") {
			t.Errorf("%s: %v does not say what there is", what, err)
		}
	}
}

// TestNobodyListens checks that Send neither waits forever nor loses packets
// silently.
func TestNobodyListens(t *testing.T) {
	d := mapitest.Start(t)
	eth0 := d.Device("eth0")
	packet := mapitest.Packet{Data: tcp(80)}
	wants(t, "no flow", eth0.Send(packet), mapi.ErrStats)
	wants(t, "end without a flow", eth0.End(nil), mapi.ErrStats)
	wants(t, "loss without a flow", eth0.Lose(1), mapi.ErrStats)
	f, err := d.Client().CreateFlow(t.Context(), "eth0")
	must(t, err)
	must(t, eth0.Send(packet)) // no flow sees it
	packets, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(t, err)
	must(t, f.Connect(t.Context()))
	must(t, eth0.Send(packet, packet))
	counted(t, "since connect", packets, 2)
	must(t, eth0.End(nil))
	must(t, f.Wait(t.Context()))
	wants(t, "after the end of the device", eth0.Send(packet), mapi.ErrNICThread)
	counting(t, d.Client(), "eth0")
	must(t, eth0.Send(packet))
	eth0.Remove()
	wants(t, "removed", eth0.Send(packet), mapi.ErrPcapOpen)
	must(t, eth0.Restore())
	must(t, eth0.Send(packet))
}

func TestEnd(t *testing.T) {
	for want, err := range map[mapi.Code]error{
		mapi.ErrNICThread:  errors.New("the cable burns"),
		mapi.ErrDAGThread:  mapi.ErrDAGThread,
		mapi.ErrAuthFailed: &mapi.Error{Op: "x", Code: mapi.ErrAuthFailed, Err: mapi.ErrAuthFailed},
	} {
		d := mapitest.Start(t)
		f, _ := counting(t, d.Client(), "eth0")
		must(t, d.Device("eth0").End(err))
		wants(t, err.Error(), f.Wait(t.Context()), want)
		if f.Status() != mapi.FlowFinished {
			t.Errorf("flow is %v", f.Status())
		}
	}
}

func TestRemovedBeforeTheFirstFlow(t *testing.T) {
	d := mapitest.Start(t)
	must(t, d.Device("eth0").Remove())
	wants(t, "flow", second(d.Client().CreateFlow(t.Context(), "eth0")), mapi.ErrPcapOpen)
	must(t, d.Device("eth0").Restore())
	must(t, second(d.Client().CreateFlow(t.Context(), "eth0")))
}

func TestAwaitFlows(t *testing.T) {
	d := mapitest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Device("eth0").AwaitFlows(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	c := d.Client()
	var program sync.WaitGroup
	program.Go(func() {
		for range 3 {
			f, err := c.CreateFlow(context.Background(), "eth0")
			if err == nil {
				err = f.Connect(context.Background())
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	must(t, d.Device("eth0").AwaitFlows(t.Context(), 3))
	must(t, d.Device("eth0").Send(mapitest.Packet{Data: tcp(80)}))
	program.Wait()
}

// TestSendersMeetTheEnd checks that senders get an error when the daemon stops.
func TestSendersMeetTheEnd(t *testing.T) {
	d, err := mapitest.New()
	must(t, err)
	counting(t, d.Client(), "eth0")
	var senders sync.WaitGroup
	started := make(chan struct{}, 2)
	for range 2 {
		senders.Go(func() {
			for first := true; d.Device("eth0").Send(mapitest.Packet{Data: tcp(80)}) == nil; first = false {
				if first {
					started <- struct{}{}
				}
			}
		})
	}
	for range 2 {
		<-started
	}
	must(t, d.Close())
	senders.Wait()
}
