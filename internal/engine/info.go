package engine

import (
	"cmp"
	"slices"
	"time"

	"gomapi/drivers"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
)

// ForeignFD is the first of the numbers under which a session sees flows of
// other connections. They can be looked at and nothing else.
const ForeignFD = 1 << 30

// DeviceInfo tells about a device.
type DeviceInfo struct {
	ID     int32 // negative: offline
	Spec   DeviceSpec
	Status DeviceStatus
}

// Devices returns what the session may see, the live devices and its own
// offline ones, by ascending id.
func (s *Session) Devices() []DeviceInfo {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	var infos []DeviceInfo
	for _, d := range e.devices {
		infos = append(infos, DeviceInfo{d.id, d.spec, d.status()})
	}
	for _, d := range s.offline {
		infos = append(infos, DeviceInfo{d.id, d.spec, d.status()})
	}
	slices.SortFunc(infos, func(a, b DeviceInfo) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

// DeviceStats are the counters of a live device since it was opened.
type DeviceStats struct {
	drivers.Stats
	Delivered uint64 // packets that went through the flows
}

// DeviceStats returns the counters of a live device: 3200 for an unknown one,
// 8004 for one that is not open and for capture files.
func (s *Session) DeviceStats(name string) (DeviceStats, error) {
	d, err := s.device(name)
	if err != nil {
		return DeviceStats{}, err
	}
	s.engine.mu.Lock()
	c := d.cur
	s.engine.mu.Unlock()
	if c == nil || d.owner != nil {
		return DeviceStats{}, mapierr.New(mapierr.Stats, "device %s has no counters: it is a capture file, or no flow uses it", name)
	}
	delivered := c.loop.total.Load() // first, so that it is never ahead
	return DeviceStats{Stats: c.dev.Stats(), Delivered: delivered}, nil
}

// FlowInfo tells about a flow.
type FlowInfo struct {
	UID        uint32 // user who made it
	PID        int32  // process that made it, 0 unknown
	Program    string // its name, empty unknown
	FD         int32  // as the asking session sees it
	DeviceID   int32
	Device     string
	Functions  int
	Start, End time.Time // zero: not yet
	Status     FlowStatus
	Err        error // with which the device ended; nil at the end of a file
	Books      books.Stage
}

// Flows returns the flows that the session may see, by ascending fd: its own,
// and under numbers from ForeignFD on those of the user's other connections
// (all connections for root).
func (s *Session) Flows() []FlowInfo {
	type seen struct {
		fd   int32
		flow *Flow
	}
	var all []seen
	s.engine.mu.Lock()
	s.visible(func(fd int32, f *Flow) bool {
		all = append(all, seen{fd, f})
		return true
	})
	s.engine.mu.Unlock()
	slices.SortFunc(all, func(a, b seen) int { return cmp.Compare(a.fd, b.fd) })
	infos := make([]FlowInfo, 0, len(all))
	for some := range slices.Chunk(all, flowsAtOnce) {
		s.engine.mu.Lock()
		for _, f := range some {
			if f.flow.status != FlowClosed {
				infos = append(infos, f.flow.info(f.fd))
			}
		}
		s.engine.mu.Unlock()
	}
	return infos
}

// flowsAtOnce bounds how many flows are described while others wait for Engine.mu.
const flowsAtOnce = 256

// Flow returns one of the flows that the session may see.
func (s *Session) Flow(fd int32) (FlowInfo, bool) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	f := s.find(fd)
	if f == nil {
		return FlowInfo{}, false
	}
	return f.info(fd), true
}

// info describes the flow, known as fd. Engine.mu is held.
func (f *Flow) info(fd int32) FlowInfo {
	d := f.capture.device
	return FlowInfo{
		UID: f.session.owner.UID, PID: f.session.owner.PID, Program: f.session.owner.Program, FD: fd, DeviceID: d.id, Device: d.spec.Name,
		Functions: len(f.functions), Start: f.start, End: f.end, Status: f.status, Err: f.capture.err,
		Books: f.books(),
	}
}

// find returns the flow that the session sees as fd, nil without one. Engine.mu
// is held.
func (s *Session) find(fd int32) (found *Flow) {
	if fd < ForeignFD {
		return s.flows[fd]
	}
	s.visible(func(seen int32, f *Flow) bool {
		if seen == fd {
			found = f
		}
		return found == nil
	})
	return found
}

// FunctionInfo tells about a function of a flow.
type FunctionInfo struct {
	FID             int32
	Name            string
	Library         string
	DevType         string
	Packets, Passed uint64       // since connect
	Books           *books.Stage // nil: not connected, or a leading filter
	ResultSize      int
	Args            []string // as they were given, for people
}

// Functions returns the functions of a flow, by ascending fid. It returns 6145
// when the session sees no such flow.
func (s *Session) Functions(fd int32) ([]FunctionInfo, error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	flow := s.find(fd)
	if flow == nil {
		return nil, mapierr.New(mapierr.InvalidFlow, "no flow %d", fd)
	}
	var infos []FunctionInfo
	for i, a := range flow.functions {
		info := FunctionInfo{
			FID: a.fid, Name: a.def.Name, Library: a.library, DevType: a.def.Type(), Args: a.argTexts(),
		}
		info.Packets, info.Passed = flow.packets(i)
		if b, ok := flow.functionBooks(i); ok {
			info.Books = &b
		}
		if a.slot != nil {
			info.ResultSize = a.slot.Size()
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b FunctionInfo) int { return cmp.Compare(a.FID, b.FID) })
	return infos, nil
}

// visible calls yield for the flows that the session may see, in no order,
// until it returns false. Engine.mu is held.
func (s *Session) visible(yield func(fd int32, f *Flow) bool) {
	for fd, f := range s.flows {
		if !yield(fd, f) {
			return
		}
	}
	for other := range s.engine.sessions {
		if other == s || (s.owner.UID != 0 && s.owner.UID != other.owner.UID) {
			continue
		}
		for _, f := range other.flows {
			if !yield(ForeignFD+int32(f.id%ForeignFD), f) {
				return
			}
		}
	}
}
