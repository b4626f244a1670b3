package engine

import (
	"maps"
	"slices"

	"gomapi/internal/mapierr"
)

// AddDevice adds a live device. Its id is one above the last one given. If the name exists
// already, nothing changes.
func (e *Engine) AddDevice(spec DeviceSpec) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.addLocked(spec)
}

// addLocked is AddDevice. Engine.mu is held.
func (e *Engine) addLocked(spec DeviceSpec) {
	for _, d := range e.devices {
		if d.spec.Name == spec.Name {
			return
		}
	}
	e.lastDev++
	e.devices = append(e.devices, &device{engine: e, id: e.lastDev, spec: spec})
}

// Discover updates the discovered devices to specs: it adds new ones and removes those that
// are neither in specs nor in use.
func (e *Engine) Discover(specs []DeviceSpec) {
	seen := make(map[string]bool, len(specs))
	for _, spec := range specs {
		spec.Discovered = true
		seen[spec.Name] = true
		e.AddDevice(spec)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.devices = slices.DeleteFunc(slices.Clone(e.devices), func(d *device) bool {
		return d.spec.Discovered && !seen[d.spec.Name] && d.users == 0 && d.cur == nil
	})
}

// SetDevices updates the configured devices to specs, whose names differ. It adds new
// devices. A device whose driver and parameters are unchanged keeps its flows and takes its
// labels from specs. All other devices are closed, and their flows end with error 3200,
// which gives the reason. Devices that are not in specs are removed. Devices with another
// driver or other parameters are opened with these for the next flow. Devices keep their
// ids. SetDevices returns when all this is done. It is called by one goroutine at a time.
func (e *Engine) SetDevices(specs []DeviceSpec) Difference {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return Difference{}
	}
	e.tasks.Add(1) // Close waits
	defer e.tasks.Done()
	have := make(map[string]*device, len(e.devices))
	old := make([]DeviceSpec, 0, len(e.devices))
	for _, d := range e.devices {
		have[d.spec.Name] = d
		old = append(old, d.spec)
	}
	diff := compare(old, specs)
	diff.ChangedFlows, diff.RemovedFlows = e.flowsOnLocked(diff.Changed), e.flowsOnLocked(diff.Removed)
	e.devices = slices.DeleteFunc(slices.Clone(e.devices), func(d *device) bool {
		return slices.Contains(diff.Removed, d.spec.Name)
	})
	for _, s := range specs {
		if d := have[s.Name]; d != nil {
			d.spec.relabel(s)
		} else {
			e.addLocked(s)
		}
	}
	e.mu.Unlock()
	for _, name := range diff.Removed {
		have[name].delete(mapierr.New(mapierr.NoDriver,
			"the configuration was changed: device %s is no longer part of it", name))
	}
	for _, s := range specs {
		if slices.Contains(diff.Changed, s.Name) {
			have[s.Name].change(s)
		}
	}
	return diff
}

// flowsOnLocked counts the flows on the present openings of devices. Engine.mu is held.
func (e *Engine) flowsOnLocked(names []string) (n int) {
	if len(names) == 0 {
		return 0
	}
	for f := range e.flows.all() {
		if d := f.capture.device; d.owner == nil && f.capture == d.cur && slices.Contains(names, d.spec.Name) {
			n++
		}
	}
	return n
}

// change gives the device another driver or parameters.
func (d *device) change(to DeviceSpec) {
	d.end(mapierr.New(mapierr.NoDriver, "the configuration was changed: device %s has another driver or other parameters; "+
		"a new flow uses them", to.Name), func() {
		d.spec.Driver, d.spec.Params, d.spec.Unavailable = to.Driver, to.Params, to.Unavailable
	})
}

// opensAs reports whether the device would be opened in the same way with other.
func (s *DeviceSpec) opensAs(other DeviceSpec) bool {
	return s.Driver == other.Driver && maps.Equal(s.Params, other.Params)
}

// relabel takes over the fields that do not matter to the driver.
func (s *DeviceSpec) relabel(from DeviceSpec) {
	s.Alias, s.Description, s.LinkSpeed = from.Alias, from.Description, from.LinkSpeed
	s.MPLS, s.VLAN, s.Discovered = from.MPLS, from.VLAN, from.Discovered
}

// A Difference is the difference of two lists of devices: names, in the order of the lists.
type Difference struct {
	Added   []string
	Changed []string // another driver or other parameters
	Removed []string
	// Number of flows that have ended on the changed and on the removed devices.
	ChangedFlows, RemovedFlows int
}

// compare returns the difference between the devices old and specs.
func compare(old, specs []DeviceSpec) (diff Difference) {
	before := make(map[string]DeviceSpec, len(old))
	for _, s := range old {
		before[s.Name] = s
	}
	stays := make(map[string]bool, len(specs))
	for _, s := range specs {
		stays[s.Name] = true
		if was, ok := before[s.Name]; !ok {
			diff.Added = append(diff.Added, s.Name)
		} else if !was.opensAs(s) {
			diff.Changed = append(diff.Changed, s.Name)
		}
	}
	for _, s := range old {
		if !stays[s.Name] {
			diff.Removed = append(diff.Removed, s.Name)
		}
	}
	return diff
}
