package engine

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"

	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
)

// ForeignFD is the first of the numbers under which a session sees flows of
// other connections. They can be looked at and nothing else.
const ForeignFD = 1 << 30

// Owner is the user behind a session, as the kernel tells it.
type Owner struct {
	UID, GID uint32
	PID      int32  // 0 unknown
	Program  string // name of the process, empty unknown
}

// A Session is what one connection has made: its flows, its offline devices,
// its result memory. Its calls come from one goroutine at a time, except Close,
// which may come from the engine as well.
type Session struct {
	engine *Engine
	owner  Owner
	user   *quota
	// notify is told when a device on which the session has something has
	// ended. It must not wait.
	notify func(device string, err error)
	closed sync.Once

	// calls is held during each call that changes something, so that Close
	// finds no half-made flow. It comes before all other locks.
	calls sync.Mutex

	// memory has the results; it is used under calls.
	memory *shm.Segment

	// These change under calls and Engine.mu, either of which is enough to look at them.
	gone    bool
	flows   order // by fd
	offline map[string]*device
	lastFD  int32
}

// NewSession makes a session. notify is called when a device has ended; it must
// not wait and may come from any goroutine.
func (e *Engine) NewSession(owner Owner, notify func(device string, err error)) (*Session, error) {
	seg, err := shm.NewSegment()
	if err != nil {
		return nil, mapierr.Wrap(mapierr.DaemonShm, "no result memory for this connection", err)
	}
	s := &Session{
		engine: e, owner: owner, notify: notify, memory: seg,
		offline: make(map[string]*device),
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		seg.Close()
		return nil, errShuttingDown
	}
	if s.user, err = e.joinLocked(owner.UID); err != nil {
		seg.Close()
		return nil, err
	}
	e.sessions[s] = struct{}{}
	return s, nil
}

// ContinueAfter makes the session number its flows from above fd, so that a
// client that connects anew never sees a number twice. It is called before the
// first flow.
func (s *Session) ContinueAfter(fd int32) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.lastFD = min(max(fd, 0), ForeignFD-1)
}

// Results is the memory to pass to the client. The session owns it.
func (s *Session) Results() *os.File { return s.memory.File() }

// Close closes all flows, deletes all offline devices and releases the result
// memory. It returns when all of it has stopped. Twice is fine.
func (s *Session) Close() {
	s.closed.Do(func() {
		s.calls.Lock()
		defer s.calls.Unlock()
		s.engine.mu.Lock()
		s.gone = true
		flows := slices.Collect(s.flows.all())
		devices := slices.Collect(maps.Values(s.offline))
		for _, d := range devices {
			d.cur.cancel(nil) // a batch under way need not be finished
		}
		s.engine.mu.Unlock()
		s.closeFlows(flows)
		for _, d := range devices {
			d.delete(nil)
		}
		s.engine.mu.Lock()
		delete(s.engine.sessions, s)
		s.user.leaveLocked()
		s.engine.mu.Unlock()
		s.memory.Close()
	})
}

// enter begins a call that changes something; the caller unlocks s.calls.
func (s *Session) enter() error {
	s.calls.Lock()
	s.engine.mu.Lock()
	gone := s.gone
	s.engine.mu.Unlock()
	if gone {
		s.calls.Unlock()
		return errShuttingDown
	}
	return nil
}

// device finds a device by what a client calls it: the name of a live or of an
// own offline device, else an alias.
func (s *Session) device(name string) (*device, error) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.devices {
		if d.spec.Name == name {
			return d, nil
		}
	}
	if d, ok := s.offline[name]; ok {
		return d, nil
	}
	for _, d := range e.devices {
		if d.spec.Alias == name && name != "" {
			return d, nil
		}
	}
	return nil, errNoDevice(name)
}

func errNoDevice(name string) error {
	return mapierr.New(mapierr.NoDriver, "no device %q: mapi info devices lists those of this daemon", name)
}

// flow finds an own flow.
func (s *Session) flow(fd int32) (*Flow, error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	if f := s.flows.get(fd); f != nil {
		return f, nil
	}
	return nil, mapierr.New(mapierr.InvalidFlow, "no flow %d on this connection", fd)
}

// Created tells about a new flow.
type Created struct {
	FD       int32
	Device   string // the device's name, also when an alias was given
	DevType  string
	Offset   uint32 // place of the flow in the result memory
	LinkType uint16 // of the device's packets, or of the first in a file that mixes them
}

// CreateFlow makes a flow on a device, which it opens if it is the first one.
// It returns 3200 for an unknown device, and the driver's error when the device
// cannot be opened.
func (s *Session) CreateFlow(ctx context.Context, name string) (Created, error) {
	if err := s.enter(); err != nil {
		return Created{}, err
	}
	defer s.calls.Unlock()
	d, err := s.device(name)
	if err != nil {
		return Created{}, err
	}
	if s.flows.n >= maxFlows || s.lastFD >= ForeignFD-1 {
		return Created{}, mapierr.New(mapierr.DaemonShm, "this connection has %d flows, more are not allowed: close some", maxFlows)
	}
	place, err := s.memory.Flow()
	if err != nil {
		return Created{}, mapierr.Wrap(mapierr.DaemonShm, "no room for the flow", err)
	}
	c, err := d.acquire(ctx)
	if err != nil {
		s.memory.FreeFlow(place)
		return Created{}, err
	}
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastFlow++
	s.lastFD++
	f := &Flow{id: e.lastFlow, fd: s.lastFD, number: e.nextNumberLocked(), session: s, capture: c, place: place}
	f.enlistLocked()
	return Created{FD: f.fd, Device: d.spec.Name, DevType: c.info.DevType, Offset: place.Offset(), LinkType: c.info.LinkType}, nil
}

// nextNumberLocked numbers a flow for those who do not own it. When all numbers were given
// once, those that no flow has any more come again. Engine.mu is held.
func (e *Engine) nextNumberLocked() int32 {
	for {
		e.lastNumber = e.lastNumber%(ForeignFD-1) + 1
		if e.flows.get(e.lastNumber) == nil {
			return e.lastNumber
		}
	}
}

// enlistLocked makes a new flow known. Engine.mu is held.
func (f *Flow) enlistLocked() {
	s := f.session
	s.flows.add(f.fd, f)
	s.user.flows.add(f.number, f)
	s.engine.flows.add(f.number, f)
	if d := f.capture.device; d.owner != nil {
		d.flows.add(f.fd, f)
	}
}

// delistLocked is for a flow that is being closed. Engine.mu is held.
func (f *Flow) delistLocked() {
	s := f.session
	s.flows.remove(f.fd)
	s.user.flows.remove(f.number)
	s.engine.flows.remove(f.number)
	f.capture.device.flows.remove(f.fd)
}
