// Package engine runs flows: it is what the daemon does, without sockets.
//
// It has two sides. The control side (Engine, Session and what their files
// hold) creates flows and devices, applies functions, connects and closes; any
// goroutine may call it. The data side (loop, plan, chain) belongs to one
// capture goroutine per open device and takes packets from the driver to the
// results. The two meet in one atomic pointer, loop.plan: the control side
// builds a new plan and stores it, the data side loads it once per batch.
// loop.settle tells the control side when nothing runs on an older plan.
package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
)

// Limits of one connection. They keep a mistaken or hostile program from
// taking the daemon's memory; results have their own bound in package shm.
const (
	maxFlows     = 1 << 17 // flows of one session
	maxFunctions = 256     // functions of one flow
	maxOffline   = 64      // offline devices of one session
)

// Options are what an engine works with.
type Options struct {
	Functions *flib.Registry
	Drivers   *drivers.Registry
	Compiler  filter.Compiler
	// Linger is how long a live device stays open after its last flow.
	Linger time.Duration
	// Log takes state changes that no request caused, for people. It may be
	// called from any goroutine, never for packets.
	Log func(format string, args ...any)
}

// An Engine holds the devices and flows of a daemon.
type Engine struct {
	opts Options
	// tasks are what Close waits for: closing of idle devices, SetDevices.
	tasks    sync.WaitGroup
	openings atomic.Uint64 // of devices

	// mu guards what follows, and every field of devices, captures, sessions
	// and flows that says so. It is never held while something is opened,
	// compiled, waited for or closed. Lock order: device.lifecycle,
	// capture.types, mu.
	mu         sync.Mutex
	closed     bool
	devices    []*device // live ones by ascending id
	sessions   map[*Session]struct{}
	lastDev    int32 // device ids, shared by live and offline devices
	lastFlow   int64 // flows, over all sessions
	flows      order // of all sessions, by Flow.number
	lastNumber int32 // of flows
	users      map[uint32]*quota
	rings      int // packet buffers and series of all users
}

// New makes an engine without devices.
func New(o Options) *Engine {
	return &Engine{opts: o, sessions: make(map[*Session]struct{}), users: make(map[uint32]*quota)}
}

// Close ends all sessions and closes all devices. It returns when everything
// has stopped and files are flushed.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	sessions := make([]*Session, 0, len(e.sessions))
	for s := range e.sessions {
		sessions = append(sessions, s)
	}
	e.mu.Unlock()
	for _, s := range sessions {
		s.Close()
	}
	e.mu.Lock()
	devices := e.devices
	e.mu.Unlock()
	for _, d := range devices {
		d.delete(nil)
	}
	e.tasks.Wait()
}

// errShuttingDown is the answer to requests that come too late.
var errShuttingDown = mapierr.New(mapierr.ShuttingDown, "the daemon is going down")
