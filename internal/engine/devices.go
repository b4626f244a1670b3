package engine

import (
	"maps"
	"slices"

	"gomapi/internal/mapierr"
)

// AddDevice adds a live device. Its id is one above the last one given. A name
// that exists already is left as it is.
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

// Discover brings the discovered devices up to date with specs: new ones are
// added, those that are neither in specs nor in use are forgotten.
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

// SetDevices makes the configured devices those of specs, whose names differ.
// New ones are added. One with the driver and parameters that it has already
// keeps its flows, and takes its labels from specs. The flows of all others end
// with error 3200, which says why, and their devices are closed: those that are
// not in specs are forgotten, those of another driver or with other parameters
// are opened with them for the next flow. Numbers of devices stay. It returns
// when all of that is done; its calls come one at a time.
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

// flowsOnLocked counts the flows on devices that are open. Engine.mu is held.
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
	d.end(mapierr.New(mapierr.NoDriver, "the configuration was changed: device %s has another driver or other parameters, "+
		"which a new flow will use", to.Name), func() {
		d.spec.Driver, d.spec.Params, d.spec.Unavailable = to.Driver, to.Params, to.Unavailable
	})
}

// opensAs reports whether opening the device as other says would be the same.
func (s *DeviceSpec) opensAs(other DeviceSpec) bool {
	return s.Driver == other.Driver && maps.Equal(s.Params, other.Params)
}

// relabel takes over what is told about a device and does not matter to its
// driver.
func (s *DeviceSpec) relabel(from DeviceSpec) {
	s.Alias, s.Description, s.LinkSpeed = from.Alias, from.Description, from.LinkSpeed
	s.MPLS, s.VLAN, s.Discovered = from.MPLS, from.VLAN, from.Discovered
}

// A Difference tells in what two lists of devices differ, by name and in the
// order of the lists.
type Difference struct {
	Added   []string
	Changed []string // another driver or other parameters
	Removed []string
	// Flows on those that have changed and on those that were removed: these have ended.
	ChangedFlows, RemovedFlows int
}

// compare tells what becomes of the devices old when they are to be those of
// specs.
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
