package daemon

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/internal/config"
)

// A finder is a driver that reports the given errors for devices, by name.
type finder struct {
	*fake.Driver
	missing map[string]error
}

func (f finder) Find(c drivers.Config) error { return f.missing[c.Device] }

// texts are the messages of one level.
func texts(hook *logtest.Hook, level logrus.Level) (all []string) {
	for _, e := range hook.AllEntries() {
		if e.Level == level {
			all = append(all, e.Message)
		}
	}
	return all
}

// TestWarnMissing has devices that cannot be used. At the start the log names
// them, but a missing permission only once.
func TestWarnMissing(t *testing.T) {
	log, hook := logtest.NewNullLogger()
	denied := fmt.Errorf("no right: %w", os.ErrPermission)
	r := startReloading(t, func(o *Options) {
		o.Log = log
		o.Drivers.Add(nicDriver, finder{&fake.Driver{}, map[string]error{
			"eth1": errors.New("no such interface"), "eth2": denied, "eth3": denied, "eth4": errors.New("no such interface"),
		}})
		o.Config = &config.Config{}
		for _, name := range []string{"eth0", "eth1", "eth2", "eth3"} {
			o.Config.Devices = append(o.Config.Devices, config.Device{Name: name, Driver: nicDriver})
		}
		o.Config.Devices = append(o.Config.Devices, config.Device{Name: "combo", Driver: "mapicombo6drv"})
	})
	want := []string{
		"no flow can be created on device eth1 now: no such interface",
		"no flow can be created on device eth2 now: no right: permission denied",
	}
	if got := texts(hook, logrus.WarnLevel); !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	hook.Reset()
	r.take(&config.Config{Devices: []config.Device{{Name: "eth1", Driver: nicDriver}, {Name: "eth4", Driver: nicDriver}}})
	want = []string{"no flow can be created on device eth4 now: no such interface"}
	if got := texts(hook, logrus.WarnLevel); !slices.Equal(got, want) {
		t.Errorf("warnings after the change %q, want %q", got, want)
	}
}

// TestReloadTellsFlows changes and removes devices with and without flows.
func TestReloadTellsFlows(t *testing.T) {
	log, hook := logtest.NewNullLogger()
	driver := &fake.Driver{}
	names := []string{"a", "b", "c"}
	configured := func(names ...string) *config.Config {
		c := &config.Config{}
		for _, name := range names {
			name, snap, _ := strings.Cut(name, " ")
			c.Devices = append(c.Devices, config.Device{Name: name, Driver: "fake", Params: map[string]string{"snap": snap}})
		}
		return c
	}
	r := startReloading(t, func(o *Options) {
		for _, name := range names {
			driver.Add(name, drivers.Info{DevType: drivers.TypeNIC, LinkType: 1})
		}
		o.Drivers.Add("fake", driver)
		o.Log, o.Config = log, configured(names...)
	})
	p := greeted(t, r.socket)
	for _, name := range []string{"a", "a", "b"} {
		if resp := p.call(create(name)); resp.GetFlowCreated() == nil {
			t.Fatal(resp)
		}
	}
	for _, step := range []struct {
		to   *config.Config
		want string
	}{
		{configured("a 64", "b", "c"), "devices changed: a; the 2 flows on them have ended"},
		{configured("a 64", "b", "c 64"), "devices changed: c"},
		{configured("c 64"), "devices no longer served: a, b; the flow on them has ended"},
	} {
		hook.Reset()
		r.take(step.to)
		if got := texts(hook, logrus.InfoLevel); !slices.Contains(got, step.want) {
			t.Errorf("the log says %q, want %q", got, step.want)
		}
	}
}
