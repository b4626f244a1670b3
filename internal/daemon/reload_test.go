package daemon

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/internal/config"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// reloading is a daemon whose configuration can be changed.
type reloading struct {
	socket string
	source *fake.Source
	out    chan *config.Config
}

func startReloading(t *testing.T, change func(o *Options)) *reloading {
	t.Helper()
	r := &reloading{socket: filepath.Join(t.TempDir(), "mapid.sock"), out: make(chan *config.Config)}
	o, source := options(t, r.socket)
	o.Reload, r.source = r.out, source
	change(&o)
	start(t, o)
	return r
}

// take makes the daemon apply a configuration. It sends it twice, because the
// daemon receives the second only after it has applied the first.
func (r *reloading) take(c *config.Config) {
	r.out <- c
	r.out <- c
}

// names returns the devices that a program sees.
func (p *program) names() (names []string) {
	p.t.Helper()
	resp := p.call(&wire.Request{Call: &wire.Request_Devices{Devices: &wire.DeviceQuery{Next: true, Id: -1 << 31, Limit: 100}}})
	for _, d := range resp.GetDevices().GetDevices() {
		names = append(names, d.Device)
	}
	return names
}

func TestReload(t *testing.T) {
	r := startReloading(t, func(*Options) {})
	p := greeted(t, r.socket)
	if resp := p.call(create("net0")); resp.GetFlowCreated() == nil {
		t.Fatal(resp)
	}
	device := config.Device{Name: "net0", Driver: "fake", Alias: "uplink"}
	r.take(&config.Config{Devices: []config.Device{{Name: "net9", Driver: "mapidagdrv"}, device}})
	if r.source.Opened() != 1 || r.source.Open() != 1 {
		t.Errorf("net0 was opened %d times, want once", r.source.Opened())
	}
	if got, want := p.names(), []string{"net0", "net9"}; !slices.Equal(got, want) {
		t.Errorf("devices are %v, want %v", got, want)
	}
	wantError(t, "device that is gone", p.call(create("combo")), mapierr.NoDriver)
	if resp := p.call(create("uplink")); resp.GetFlowCreated().GetDevice() != "net0" {
		t.Errorf("flow by the new alias: %v", resp)
	}
	device.Params = map[string]string{"snap": "64"}
	r.take(&config.Config{Devices: []config.Device{device}})
	if r.source.Open() != 0 {
		t.Error("net0 is open after its parameters have changed")
	}
}

// TestReloadOfInterfaces switches from all interfaces to a list and back.
func TestReloadOfInterfaces(t *testing.T) {
	drv := &fake.Driver{}
	source := drv.Add("eth0", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1})
	drv.Add("eth1", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1})
	up := make(chan []string, 1) // lists of interfaces, one at a time
	up <- []string{"eth0", "eth1"}
	r := startReloading(t, func(o *Options) {
		o.Drivers.Add(nicDriver, drv)
		o.Config = config.Default()
		o.Interfaces = func() ([]string, error) {
			names := <-up
			up <- names
			return names, nil
		}
	})
	p := greeted(t, r.socket)
	if resp := p.call(create("eth0")); resp.GetFlowCreated() == nil {
		t.Fatal(resp)
	}
	<-up
	up <- []string{"eth0", "eth2"}
	r.take(config.Default())
	if got, want := p.names(), []string{"eth0", "eth2"}; !slices.Equal(got, want) {
		t.Errorf("interfaces are %v, want %v", got, want)
	}
	list := &config.Config{Devices: []config.Device{{Name: "eth0", Driver: nicDriver, Params: map[string]string{}}}}
	r.take(list)
	if got, want := p.names(), []string{"eth0"}; !slices.Equal(got, want) {
		t.Errorf("devices are %v, want %v", got, want)
	}
	wantError(t, "interface that is not in the list", p.call(create("eth2")), mapierr.NoDriver)
	if source.Opened() != 1 || source.Open() != 1 {
		t.Errorf("eth0 was opened %d times, want once for its flow", source.Opened())
	}
	r.take(config.Default())
	if got, want := p.names(), []string{"eth0", "eth2"}; !slices.Equal(got, want) {
		t.Errorf("interfaces are %v, want %v", got, want)
	}
}

func TestListed(t *testing.T) {
	names := strings.Split("a b c d e f g h i j k l", " ")
	for n, want := range map[int]string{1: "a", 10: "a, b, c, d, e, f, g, h, i, j", 12: "a, b, c, d, e, f, g, h, i, j and 2 more"} {
		if got := listed(names[:n]); got != want {
			t.Errorf("%d names: %q, want %q", n, got, want)
		}
	}
}

// TestInterfacesThatAreNotListed asks for an interface that is down, and by an
// alternative name.
func TestInterfacesThatAreNotListed(t *testing.T) {
	drv := &fake.Driver{}
	for _, name := range []string{"eth0", "eth1"} {
		drv.Add(name, drivers.Info{DevType: drivers.TypeNIC, LinkType: 1})
	}
	own := map[string]string{"eth0": "eth0", "eth1": "eth1", "first": "eth0"}
	r := startReloading(t, func(o *Options) {
		o.Drivers.Add(nicDriver, drv)
		o.Config = config.Default()
		o.Interfaces = func() ([]string, error) { return []string{"eth0"}, nil } // eth1 is down
		o.Resolve = func(name string) (string, error) {
			if own[name] == "" {
				return "", errors.New("there is none")
			}
			return own[name], nil
		}
	})
	p := greeted(t, r.socket)
	named := func(name, want string) {
		t.Helper()
		if resp := p.call(create(name)); resp.GetFlowCreated().GetDevice() != want {
			t.Errorf("%s: %v, want a flow on %s", name, resp, want)
		}
	}
	named("first", "eth0")
	named("eth1", "eth1")
	wantError(t, "no interface", p.call(create("eth7")), mapierr.NoDriver)
	if got, want := p.names(), []string{"eth0", "eth1"}; !slices.Equal(got, want) {
		t.Errorf("devices are %v, want %v", got, want)
	}
	r.take(&config.Config{Devices: []config.Device{{Name: "eth0", Driver: nicDriver, Params: map[string]string{}}}})
	named("first", "eth0")
	wantError(t, "interface that is not configured", p.call(create("eth1")), mapierr.NoDriver)
}
