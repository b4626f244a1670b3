package engine

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"gomapi/drivers"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
)

// DeviceInfo describes a device.
type DeviceInfo struct {
	ID     int32 // negative: offline
	Spec   DeviceSpec
	Status DeviceStatus
}

// Devices returns the devices that the session may see, by ascending id: the live ones and
// its own offline ones.
func (s *Session) Devices() []DeviceInfo {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	var infos []DeviceInfo
	for _, d := range e.devices {
		infos = append(infos, DeviceInfo{d.id, d.spec, d.statusLocked()})
	}
	for _, d := range s.offline {
		infos = append(infos, DeviceInfo{d.id, d.spec, d.statusLocked()})
	}
	slices.SortFunc(infos, func(a, b DeviceInfo) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

// DeviceStats are the counters of a live device since it was opened.
type DeviceStats struct {
	drivers.Stats
	Delivered uint64 // packets that went through the flows
}

// DeviceStats returns the counters of a live device. It returns 3200 for an unknown device,
// 8004 for one that is not open and for capture files.
func (s *Session) DeviceStats(name string) (DeviceStats, error) {
	d, err := s.device(name)
	if err != nil {
		return DeviceStats{}, err
	}
	c := s.opened(d)
	if c == nil || d.owner != nil {
		return DeviceStats{}, mapierr.New(mapierr.Stats, "device %s has no counters: it is a capture file, or no flow uses it", name)
	}
	delivered, _ := c.loop.Total() // before Stats, so that it never exceeds Recv
	return DeviceStats{Stats: c.dev.Stats(), Delivered: delivered}, nil
}

// FlowInfo describes a flow.
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
	Err        error // error with which the device ended; nil at the end of a file
	Books      books.Stage
}

// FlowsAfter yields up to n flows that the session may see, with numbers above fd, by
// ascending number: its own flows, and under numbers from ForeignFD on the flows of the
// user's other connections (for root, of all connections). Flows may come and go meanwhile;
// each flow that stays is yielded once.
func (s *Session) FlowsAfter(fd int32, n int) iter.Seq[FlowInfo] {
	return func(yield func(FlowInfo) bool) {
		var some []FlowInfo
		for more := true; more && n > 0; n -= len(some) {
			some, fd, more = s.flowsAfter(fd, min(n, flowsAtOnce))
			for _, info := range some {
				if !yield(info) {
					return
				}
			}
		}
	}
}

// flowsAtOnce limits how many flows are described while Engine.mu is held.
const flowsAtOnce = 64

// flowsAfter describes up to n flows above fd. It returns the number from which to go on, and
// whether there may be more.
func (s *Session) flowsAfter(fd int32, n int) (infos []FlowInfo, _ int32, more bool) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	var flows []*Flow
	if fd < ForeignFD-1 {
		if flows, fd, more = s.flows.after(fd, n, nil); !more {
			fd, more = ForeignFD-1, true
		}
	} else {
		flows, fd, more = s.othersLocked().after(fd-ForeignFD, n, s)
		fd += ForeignFD
	}
	infos = make([]FlowInfo, 0, len(flows))
	for _, f := range flows {
		infos = append(infos, f.infoLocked(s))
	}
	return infos, fd, more
}

// othersLocked returns the flows that the session may look at, by Flow.number: those of its
// user, for root all. The session's own flows are among them. Engine.mu is held.
func (s *Session) othersLocked() *order {
	if s.owner.UID == 0 && s.owner.Client == "" {
		return &s.engine.flows
	}
	return &s.user.flows
}

// Flow returns one of the flows that the session may see.
func (s *Session) Flow(fd int32) (FlowInfo, bool) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	f := s.findLocked(fd)
	if f == nil {
		return FlowInfo{}, false
	}
	return f.infoLocked(s), true
}

// Sees reports whether the session may see a flow with this number.
func (s *Session) Sees(fd int32) bool {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	return s.findLocked(fd) != nil
}

// infoLocked describes the flow to a session that may see it. Engine.mu is held.
func (f *Flow) infoLocked(asker *Session) FlowInfo {
	d, fd := f.capture.device, f.fd
	if asker != f.session {
		fd = ForeignFD + f.number
	}
	return FlowInfo{
		UID: f.session.owner.UID, PID: f.session.owner.PID, Program: f.session.owner.Program,
		FD: fd, DeviceID: d.id, Device: d.spec.Name,
		Functions: len(f.functions), Start: f.start, End: f.end, Status: f.shownStatusLocked(), Err: cmp.Or(f.err, f.capture.err),
		Books: f.booksLocked(),
	}
}

// findLocked returns the flow that the session sees as fd, or nil. Engine.mu is held.
func (s *Session) findLocked(fd int32) *Flow {
	if fd < ForeignFD {
		return s.flows.get(fd)
	}
	if f := s.othersLocked().get(fd - ForeignFD); f != nil && f.session != s {
		return f
	}
	return nil
}

// FunctionInfo describes a function of a flow.
type FunctionInfo struct {
	FID             int32
	Name            string
	Library         string
	DevType         string
	Packets, Passed uint64       // since connect
	Books           *books.Stage // nil: not connected, or a leading filter
	ResultSize      int
	Args            []string // in words, for people; omitted ones with their defaults
}

// FunctionsAfter returns up to n functions of a flow with numbers above fid, by ascending
// number. It returns 6145 when the session sees no such flow.
func (s *Session) FunctionsAfter(fd, fid int32, n int) ([]FunctionInfo, error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	flow := s.findLocked(fd)
	if flow == nil {
		return nil, mapierr.New(mapierr.InvalidFlow, "no flow %d", fd)
	}
	var places []int
	for i, a := range flow.functions {
		if a.fid > fid {
			places = append(places, i)
		}
	}
	slices.SortFunc(places, func(i, j int) int { return cmp.Compare(flow.functions[i].fid, flow.functions[j].fid) })
	var infos []FunctionInfo
	for _, i := range places[:min(n, len(places))] {
		infos = append(infos, flow.functionInfoLocked(i))
	}
	return infos, nil
}

// functionInfoLocked describes function i of the flow. Engine.mu is held.
func (f *Flow) functionInfoLocked(i int) FunctionInfo {
	a := f.functions[i]
	info := FunctionInfo{FID: a.fid, Name: a.Def.Name, Library: a.library.Name, DevType: a.Def.Type(), Args: a.argTexts()}
	info.Packets, info.Passed = f.packetsLocked(i)
	if b, ok := f.functionBooksLocked(i); ok {
		info.Books = &b
	}
	if a.slot != nil {
		info.ResultSize = a.slot.Size()
	}
	return info
}
