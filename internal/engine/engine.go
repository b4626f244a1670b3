// Package engine runs flows: it is the daemon without its sockets.
//
// This package is the control side: it creates flows and devices, applies functions,
// connects and closes. Any goroutine may call it. Package datapath has the code that runs
// per packet: the engine gives a plan to its Loop, which one capture goroutine per open
// device runs. Package compact decides when chains are merged into segments, and this
// package merges them.
//
// Files in reading order; each uses those before it, except that sessions, flows and devices
// refer to each other:
//
//	fault.go                         panics; what ended
//	reclaim.go                       memory that is free goes back to the system
//	order.go                         flows by number
//	flow.go                          a flow and the instances of its functions
//	user.go                          what a user has taken
//	turns.go                         who may compile and build next
//	capture.go                       one opening of a device
//	job.go, compactor.go             merging its chains
//	engine.go, session.go            the tables; everything one connection has made
//	device.go, devices.go            live devices and capture files
//	env.go, analysers.go             what a function can ask for
//	relief.go                        who is passed by when a device is too slow
//	linktypes.go                     filters for the link types of a device
//	refs.go, apply.go                functions
//	books_flow.go, books.go          packet counts
//	info_args.go, info.go            information for clients
//	connect.go                       connecting and closing flows
//	revoke.go                        rights that are lost
//	derived.go                       devices behind forced functions
//	offline.go                       capture files
//	files.go                         descriptors of clients
package engine

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/account"
	"gomapi/internal/filter"
	"gomapi/internal/foreign"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
	"gomapi/internal/share"
)

// Limits of one connection. Package shm limits the results. For limits of one user see package
// account.
const (
	maxFlows     = 1 << 17 // flows of one session
	maxFunctions = 256     // functions of one flow
)

// Options configure an engine.
type Options struct {
	Functions *flib.Registry
	Drivers   *drivers.Registry
	Compiler  filter.Compiler
	Accounts  *account.Accounts // of the users; nil: with the limits of this machine
	Policy    *policy.Policy    // what users and clients may do; nil: everything; see SetPolicy
	// Forced returns the functions that are forced on the flows of an owner on a live device, or on
	// its capture files (device ""): the flows get only what leaves these functions. It is called for
	// each new flow, device and request for statistics, from any goroutine, and must not wait. Nil: those
	// of the policy.
	Forced func(o Owner, device string) []funccall.Call
	// Linger is how long a live device stays open after its last flow.
	Linger time.Duration
	// Log takes texts for people about state changes that no request caused. It may be
	// called from any goroutine, never for packets.
	Log func(format string, args ...any)
	// UserLog takes those texts that a user can cause. It limits their number for each user. Nil: Log
	// takes them too.
	UserLog func(user string, format string, args ...any)
}

// An Engine holds the devices and flows of a daemon.
type Engine struct {
	opts    Options
	leaving atomic.Bool // see LeaveMemory
	reclaim reclaimer
	// tasks counts what Close waits for: closing of idle devices, SetDevices, building and
	// freeing of segments.
	tasks    sync.WaitGroup
	openings atomic.Uint64 // of devices
	files    *foreign.Pool // of clients
	turns    turns
	reading  *share.Turns // of the capture files that are being read

	// mu guards the fields below, the plans of all loops, and every field of devices,
	// captures, sessions and flows that says so. It is never held while something is
	// opened, compiled, waited for or closed. Lock order: Session.calls,
	// device.lifecycle, capture.types, mu.
	mu         sync.Mutex
	closed     bool
	policy     *policy.Policy
	devices    []*device // live ones by ascending id
	sessions   map[*Session]struct{}
	lastDev    int32 // device ids, shared by live and offline devices
	lastFlow   int64 // flows, over all sessions
	flows      order // of all sessions, by Flow.number
	lastNumber int32 // last Flow.number given
	users      map[userKey]*user
	identities map[string]*identity
	derived    map[derivedKey]*device // live ones
}

// derivedKey is a key for a derived device: its parent, who uses it, and the forced functions as text.
type derivedKey struct {
	parent *device
	user   *user
	calls  string
}

// New makes an engine without devices.
func New(o Options) *Engine {
	if o.Accounts == nil {
		o.Accounts = account.New(account.ForMachine())
	}
	return &Engine{
		opts: o, policy: o.Policy, files: foreign.NewPool(o.Accounts), turns: newTurns(),
		sessions: make(map[*Session]struct{}), users: make(map[userKey]*user), identities: make(map[string]*identity),
		derived: make(map[derivedKey]*device),
		// One processor is left for live devices, which must never wait for a file.
		reading: share.NewTurns(max(1, runtime.GOMAXPROCS(0)-1)),
	}
}

// LeaveMemory is called when the process is about to end. Sessions that are closed from then
// on leave the memory of results and packets to their clients, so that programs still get
// what was published.
func (e *Engine) LeaveMemory() { e.leaving.Store(true) }

// Close ends all sessions and closes all devices. It returns when everything
// has stopped and files are flushed.
func (e *Engine) Close() {
	e.LeaveMemory()
	e.mu.Lock()
	e.closed = true
	sessions := make([]*Session, 0, len(e.sessions))
	for s := range e.sessions {
		sessions = append(sessions, s)
	}
	e.mu.Unlock()
	var closing sync.WaitGroup
	for _, s := range sessions {
		closing.Go(s.Close) // at the same time, because files may keep each waiting
	}
	closing.Wait()
	e.mu.Lock()
	devices := slices.AppendSeq(slices.Collect(maps.Values(e.derived)), slices.Values(e.devices))
	e.mu.Unlock()
	for _, d := range devices {
		d.delete(nil)
	}
	e.tasks.Wait()
	e.files.Wait(closingGrace)
	e.reclaim.close()
}

// closingGrace is how long the files of clients may take to be closed at the end.
const closingGrace = 100 * time.Millisecond

// logFor logs what a user can cause.
func (e *Engine) logFor(user string, format string, args ...any) {
	if e.opts.UserLog == nil {
		e.opts.Log(format, args...)
		return
	}
	e.opts.UserLog(user, format, args...)
}

// CompileTime returns the time that the holder of an account has used lately for compiling filters and building
// segments. Any goroutine may call it.
func (e *Engine) CompileTime(user string) time.Duration { return e.turns.spent.Used(user) }

// errShuttingDown is the answer to requests that come after Close.
var errShuttingDown = mapierr.New(mapierr.ShuttingDown, "the daemon is going down")
