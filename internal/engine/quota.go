package engine

import (
	"context"
	"sync/atomic"

	"gomapi/internal/mapierr"
	"gomapi/internal/share"
)

// Limits of one user, over all connections, so that no user can keep others out of the
// daemon or take its memory. Root is exempt from the limits that are checked with unlimited.
//
// A new limit takes a constant here, a field of quota, and a check such as reserve or
// charge, called where the resource is taken: in env.go for functions, in
// Session.CreateFlow for flows. Session.free or delistLocked gives it back.
const (
	maxSessions     = 1024
	maxInstructions = 8 << 20 // of filter programs; one takes about 32 bytes
	maxCompiling    = 2       // filters being compiled at a time
	maxBuilding     = 2       // segments of capture files being built at a time
	maxBuffers      = 1 << 30 // bytes of packet buffers and series
	maxRings        = 4096    // packet buffers and series
	maxTables       = 1 << 30 // bytes of tables of functions
)

// maxAllRings limits the packet buffers and series of all users, root included. Each takes a
// descriptor and two of the 65,530 mappings that a process can have.
const maxAllRings = 16384

// A quota is what one user has taken of the daemon, over all connections. Engine.mu guards
// it, except compiling, building and tables.
type quota struct {
	unlimited    bool // root
	sessions     int
	instructions int
	buffers      int
	rings        int
	flows        order         // by Flow.number
	payer        share.Payer   // of processor time; not guarded
	tables       atomic.Int64  // bytes; functions take them while they run
	compiling    chan struct{} // semaphore of maxCompiling
	building     chan struct{} // semaphore of maxBuilding
}

// joinLocked counts one more session of a user, or fails with 8003. Engine.mu is held.
func (e *Engine) joinLocked(uid uint32) (*quota, error) {
	q := e.users[uid]
	if q == nil {
		q = &quota{
			unlimited: uid == 0,
			compiling: make(chan struct{}, maxCompiling), building: make(chan struct{}, maxBuilding),
		}
		e.users[uid] = q
	}
	if q.sessions >= maxSessions && !q.unlimited {
		return nil, mapierr.New(mapierr.AuthFailed, "user %d has %d connections, more are not allowed", uid, maxSessions)
	}
	q.sessions++
	return q, nil
}

// leaveLocked counts one session less. Engine.mu is held.
func (q *quota) leaveLocked() { q.sessions-- }

// beginCompile waits until the user may have one more filter compiled. Root waits too.
func (q *quota) beginCompile(ctx context.Context) error {
	select {
	case q.compiling <- struct{}{}:
		return nil
	case <-ctx.Done():
		return mapierr.Wrap(mapierr.PcapOpenDead, "gave up waiting for the filter compiler", ctx.Err())
	}
}

func (q *quota) endCompile() { <-q.compiling }

// reserve charges a packet buffer or series to the quota of the user. env.own calls it, and
// free gives it back.
func (s *Session) reserve(a *instance, size int) error {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	switch {
	case s.engine.rings >= maxAllRings:
		return mapierr.New(mapierr.Memory, "the daemon has %d packet buffers and series, more are not possible: close some flows", maxAllRings)
	case s.user.unlimited:
	case s.user.rings >= maxRings:
		return mapierr.New(mapierr.Memory, "user %d has %d packet buffers and series, more are not allowed: close some flows",
			s.owner.UID, maxRings)
	case s.user.buffers+size > maxBuffers:
		return mapierr.New(mapierr.Memory, "the packet buffers of user %d have %d bytes, more than %d are not allowed: close some flows",
			s.owner.UID, s.user.buffers, maxBuffers)
	}
	s.user.buffers += size
	s.user.rings++
	s.engine.rings++
	a.buffer = size
	return nil
}

// charge charges the instructions of a filter program to the quota of the user. env.Compile
// calls it, and free gives it back.
func (s *Session) charge(a *instance, instructions int) error {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	if s.user.instructions+instructions > maxInstructions && !s.user.unlimited {
		return mapierr.New(mapierr.Memory, "the filters of user %d have %d instructions, more than %d are not allowed: close some flows",
			s.owner.UID, s.user.instructions, maxInstructions)
	}
	s.user.instructions += instructions
	a.instructions += instructions
	return nil
}

// A tableQuota charges the tables of an instance to the quota of its user. It does not lock,
// because tables grow while packets come.
type tableQuota struct {
	session *Session
	charged atomic.Int64
}

// Charge implements table.Quota.
func (q *tableQuota) Charge(bytes int) error {
	user := q.session.user
	if now := user.tables.Add(int64(bytes)); now > maxTables && !user.unlimited {
		user.tables.Add(-int64(bytes))
		return mapierr.New(mapierr.Memory, "the tables of user %d have %d bytes, more than %d are not allowed: close some flows",
			q.session.owner.UID, now-int64(bytes), maxTables)
	}
	q.charged.Add(int64(bytes))
	return nil
}

// Release implements table.Quota.
func (q *tableQuota) Release(bytes int) {
	q.charged.Add(-int64(bytes))
	q.session.user.tables.Add(-int64(bytes))
}
