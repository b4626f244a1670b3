// Package engine runs flows: it is what the daemon does, without sockets.
//
// This package is the control side: it creates flows and devices, applies functions,
// connects and closes; any goroutine may call it. What runs per packet is package
// datapath, whose Loop it gives a plan; one capture goroutine per open device runs that.
// Package compact says when chains are to be merged into segments, and this package does it.
//
// Files, each of which uses those before it, as far as a session, its flows and their
// devices can be told one after the other:
//
//	fault.go                         panics of drivers and functions
//	order.go                         flows by number
//	flow.go                          a flow and the instances of its functions
//	quota.go                         what a user has of the daemon
//	capture.go                       one opening of a device
//	job.go, compactor.go             merging its chains
//	engine.go, session.go            the tables; what one connection has made
//	device.go, devices.go            what flows are created on
//	env.go, refs.go, apply.go        functions
//	books.go, books_flow.go           where packets went
//	info_args.go, info.go            what is there
//	connect.go                       a connected flow, and its end
//	offline.go                       capture files
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
