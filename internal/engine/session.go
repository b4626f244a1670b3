package engine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"gomapi/internal/account"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
	"gomapi/internal/shm"
)

// ForeignFD is the first number under which a session sees flows of other connections. It
// can only look at these flows.
const ForeignFD = 1 << 30

// Owner is who is behind a session, as reported by the kernel.
type Owner struct {
	UID, GID uint32
	PID      int32          // 0: unknown
	Program  string         // name of the process, empty: unknown
	Client   string         // the client for whom the process acts, empty: itself
	Payer    account.Holder // whose account is charged; no ID: the client's, or the user's
	Subject  policy.Subject // whose rights the session has
}

// A Session holds everything one connection has made: its flows, its offline devices,
// its result memory. One goroutine at a time calls it, except for Close, which the engine
// may call as well.
type Session struct {
	engine *Engine
	owner  Owner
	user   *user
	sum    account.Sum // that it has taken
	// notify is called when a device has ended on which the session has flows, or which it
	// owns, or when one of its flows has ended before its device. It must not wait.
	notify func(Ended)
	closed sync.Once
	rights atomic.Pointer[policy.Grant] // what the session may do; nil: everything. Changes under Engine.mu

	// calls is held during each call that changes something, so that Close
	// finds no half-made flow. It is locked before all other locks.
	calls sync.Mutex

	// memory has the results. It is used under calls.
	memory *shm.Segment

	// To change these fields, hold calls and Engine.mu; to read them, either.
	gone    bool
	flows   order // by fd
	offline map[string]*device
	lastFD  int32
}

// NewSession makes a session. notify is called, from any goroutine, when a device or a flow
// has ended. It must not wait.
func (e *Engine) NewSession(owner Owner, notify func(Ended)) (*Session, error) {
	return e.newSession(owner, sessionSum, notify)
}

// newSession makes a session, which takes a sum. One of a client ends with the engine.
func (e *Engine) newSession(owner Owner, sum account.Sum, notify func(Ended)) (*Session, error) {
	seg, err := shm.NewSegment()
	if err != nil {
		return nil, mapierr.Wrap(mapierr.DaemonShm, "no result memory for this connection", err)
	}
	s := &Session{
		engine: e, owner: owner, notify: notify, memory: seg, sum: sum,
		offline: make(map[string]*device),
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		seg.Close()
		return nil, errShuttingDown
	}
	s.user = e.joinLocked(owner)
	if s.client() {
		s.authorizeLocked()
	}
	if err := s.user.admit(sum); err != nil {
		e.leaveLocked(s)
		seg.Close()
		return nil, err
	}
	if s.client() {
		e.sessions[s] = struct{}{}
	}
	return s, nil
}

// authorizeLocked takes over what the policy says about the session. Engine.mu is held.
func (s *Session) authorizeLocked() {
	g := s.engine.policy.For(s.owner.Subject)
	s.rights.Store(g)
	s.user.account.SetOwn(g.Limits())
}

// Rights returns what the session may do at the moment.
func (s *Session) Rights() *policy.Grant { return s.rights.Load() }

// payer is the holder of the account to which everything of the session is charged.
func (s *Session) payer() string { return s.user.account.Holder.ID }

// log reports what the user of the session has caused.
func (s *Session) log(format string, args ...any) { s.engine.logFor(s.payer(), format, args...) }

// safely calls f, which does something for the session, and turns a panic into an error.
func (s *Session) safely(what string, f func() error) error { return report(s.log).safely(what, f) }

// ContinueAfter makes the session number its flows from fd+1 on, so that a client that
// reconnects never sees a number twice. It is called before the first flow.
func (s *Session) ContinueAfter(fd int32) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.lastFD = min(max(fd, 0), ForeignFD-1)
}

// Results is the result memory, to be passed to the client. The session owns it.
func (s *Session) Results() *os.File { return s.memory.File() }

// Close closes all flows, deletes all offline devices and takes back the result
// memory. It returns when all of them have stopped. Calling it twice is allowed.
func (s *Session) Close() {
	s.closed.Do(func() {
		s.interruptAll() // what a call under way waits for, too
		s.calls.Lock()
		defer s.calls.Unlock()
		s.engine.mu.Lock()
		s.gone = true
		flows := slices.Collect(s.flows.all())
		devices := slices.Collect(maps.Values(s.offline))
		for _, d := range devices {
			d.cur.reader().cancel(nil) // no need to finish the batch under way
		}
		s.engine.mu.Unlock()
		s.closeFlows(flows)
		for _, d := range devices {
			d.delete(nil)
		}
		s.engine.mu.Lock()
		delete(s.engine.sessions, s)
		s.user.account.GiveSum(s.sum)
		s.engine.leaveLocked(s)
		s.engine.mu.Unlock()
		s.freeMemory()
		s.engine.reclaim.add(sessionMemory)
	})
}

// freeMemory takes the result memory back, or leaves it to the client.
func (s *Session) freeMemory() {
	free := s.memory.Close
	if s.engine.leaving.Load() {
		free = s.memory.Leave
	}
	if err := free(); err != nil {
		s.engine.opts.Log("close the result memory of a connection: %v", err)
	}
}

// enter begins a call that changes something. It locks s.calls; the caller unlocks it.
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

// device finds a device by the name that a client gives: the name of a live device or of an
// offline device of this session, else an alias.
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

// opened finds a device whose counts the session may see, and its opening, nil if it is not open.
func (s *Session) opened(name string) (*device, *capture, error) {
	d, err := s.device(name)
	if err != nil {
		return nil, nil, err
	}
	s.engine.mu.Lock()
	if d.owner == nil {
		err = s.Rights().See(d.namesLocked()...)
	}
	s.engine.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	return d, s.opening(d), nil
}

// opening returns the opening of d, or of the device that the session has in its place, nil if it is
// not open.
func (s *Session) opening(d *device) *capture {
	d = s.own(d, false)
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	if d == nil {
		return nil
	}
	return d.cur
}

func errNoDevice(name string) error {
	return mapierr.New(mapierr.NoDriver, "no device %q: mapi info devices lists those of this daemon", name)
}

// forced returns the functions that are forced on the flows of the session; "" is a capture file.
func (s *Session) forced(device string) []funccall.Call {
	if s.engine.opts.Forced != nil {
		return s.engine.opts.Forced(s.owner, device)
	}
	return s.Rights().Force()
}

// client reports whether the session is that of a connection, and not of a derived device.
func (s *Session) client() bool { return s.sum[account.Connections] > 0 }

// acquire acquires the device on which the session has its flows: d, or one that is derived from it.
func (s *Session) acquire(ctx context.Context, d *device) (*capture, error) {
	for {
		own := s.own(d, true)
		c, err := own.acquire(ctx)
		switch {
		case err == nil || own == d:
			return c, err
		case !own.gone(): // else it was closed just now, because nobody used it
			own.closeIdle()
			return nil, err
		}
	}
}

// own returns the device that the session has in place of d: d, if nothing is forced on its flows.
// If there is none yet, it makes one, or returns nil.
func (s *Session) own(d *device, create bool) *device {
	if d.owner != nil {
		return d // derived already, if it must be
	}
	calls := s.forced(d.spec.Name)
	if len(calls) == 0 {
		return d
	}
	e, key := s.engine, derivedKey{d, s.user, fmt.Sprintf("%#v", calls)}
	e.mu.Lock()
	defer e.mu.Unlock()
	own := e.derived[key]
	if own == nil && create {
		own = &device{engine: e, id: d.id, spec: DeviceSpec{Name: d.spec.Name}, recipe: &recipe{d, s.owner, calls}}
		e.derived[key] = own
	}
	return own
}

// flow finds a flow of this session. Only these can be changed; see findLocked for looking.
func (s *Session) flow(fd int32) (*Flow, error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	if f := s.flows.get(fd); f != nil {
		return f, nil
	}
	return nil, mapierr.New(mapierr.InvalidFlow, "no flow %d on this connection", fd)
}

// Created describes a new flow.
type Created struct {
	FD       int32
	Device   string // the device's name, also when an alias was given
	DevType  string
	Offset   uint32 // of the flow in the result memory
	LinkType uint16 // of the device's packets, or of the first in a file that mixes them
}

// CreateFlow makes a flow on a device. It opens the device for the first flow. It returns
// 3200 for an unknown device, the driver's error if the device cannot be opened, and 8003, 8001 or
// 7006 if the policy does not allow it.
func (s *Session) CreateFlow(ctx context.Context, name string) (Created, error) {
	if err := s.enter(); err != nil {
		return Created{}, err
	}
	defer s.calls.Unlock()
	d, err := s.device(name)
	if err != nil {
		return Created{}, err
	}
	if err := d.mayCapture(s.Rights()); err != nil {
		return Created{}, err
	}
	if s.flows.n >= maxFlows || s.lastFD >= ForeignFD-1 {
		return Created{}, mapierr.New(mapierr.DaemonShm, "this connection has %d flows, more are not allowed: close some", maxFlows)
	}
	place, err := s.newPlace()
	if err != nil {
		return Created{}, err
	}
	c, err := s.acquire(ctx, d)
	if err != nil {
		s.memory.FreeFlow(place)
		s.user.account.GiveSum(flowSum)
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

// newPlace charges a new flow and makes its place in the result memory.
func (s *Session) newPlace() (*shm.Flow, error) {
	if err := s.user.take(flowSum, mapierr.Memory); err != nil {
		return nil, err
	}
	place, err := s.memory.Flow()
	if err != nil {
		s.user.account.GiveSum(flowSum)
		return nil, mapierr.Wrap(mapierr.DaemonShm, "no room for the flow", err)
	}
	return place, nil
}

// nextNumberLocked returns the number under which other sessions see a flow. When all
// numbers were given once, it reuses those of closed flows. Engine.mu is held.
func (e *Engine) nextNumberLocked() int32 {
	for {
		e.lastNumber = e.lastNumber%(ForeignFD-1) + 1
		if e.flows.get(e.lastNumber) == nil {
			return e.lastNumber
		}
	}
}

// enlistLocked adds a new flow to the tables. Engine.mu is held.
func (f *Flow) enlistLocked() {
	s := f.session
	s.flows.add(f.fd, f)
	s.user.flows.add(f.number, f)
	s.engine.flows.add(f.number, f)
	if d := f.capture.device; d.owner != nil {
		d.flows.add(f.fd, f)
	}
}

// delistLocked removes a flow that is being closed from the tables. Engine.mu is held.
func (f *Flow) delistLocked() {
	s := f.session
	s.flows.remove(f.fd)
	s.user.flows.remove(f.number)
	s.engine.flows.remove(f.number)
	f.capture.device.flows.remove(f.fd)
}
