// Package foreign makes system calls on files of clients, which may never return.
//
// A program passes descriptors to the daemon. It may have served the file system itself, hold
// a lock on the file, or have made close(2) linger: then a read, a write, fstat and even
// closing take as long as the program likes, and nothing but that program can end them. Each
// such call holds a thread, and a process that runs out of threads crashes. So every call takes
// a place. A user has a few places for each kind of call, and all users together have a few
// more. Who finds none waits without a thread. A call that hangs keeps its place, and
// what it uses stays on the account of its user, until it returns. Nobody else waits for it.
//
// Descriptors of clients are never wrapped in an os.File: the runtime's poller would ask a
// file that does not block for its state, and all connections would wait for the answer.
//
// Files in reading order; each uses those before it:
//
//	places.go     where calls wait
//	closing.go    closing what may linger
//	foreign.go    the pool of a daemon, and its users
//	rights.go     the rights of a client on a thread
//	kind.go       what may be read and written
//	file.go       a file
//	reader.go     reading one
package foreign

import (
	"io"
	"sync"
	"time"

	"gomapi/internal/account"
)

// Limits of calls that may hang at a time, each of which holds a thread: of one user, and of all.
const (
	userReads, allReads       = 4, 32
	userWrites, allWrites     = 4, 64
	userClosings, allClosings = 2, 16
)

// maxPending is how many descriptors of a user may wait to be closed before Settle waits.
const maxPending = 256

// A Pool has the places of a daemon.
type Pool struct {
	accounts *account.Accounts
	reads    chan struct{}
	writes   chan struct{}
	closings chan struct{}
	refused  closing

	mu      sync.Mutex
	users   map[string]*User // by account.Holder.ID
	closers int              // goroutines that close; a late one may begin while Wait waits
	idle    chan struct{}    // closed when there are none; nil: nobody waits
}

// NewPool makes a pool without users. What they have open is charged to accounts.
func NewPool(accounts *account.Accounts) *Pool {
	p := &Pool{
		accounts: accounts,
		reads:    make(chan struct{}, allReads), writes: make(chan struct{}, allWrites), closings: make(chan struct{}, allClosings),
		users: make(map[string]*User),
	}
	p.refused.init(p, nil)
	return p
}

// A User has the places of one user.
type User struct {
	closing
	pool    *Pool
	account *account.Account
	id      string
	reads   places
	writes  places
	joined  int // times that it was joined and not left; under Pool.mu
}

// Join returns the user whose account has this holder. The caller leaves it once.
func (p *Pool) Join(h account.Holder) *User {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[h.ID]
	if u == nil {
		u = &User{
			pool: p, account: p.accounts.Open(h), id: h.ID,
			reads:  places{make(chan struct{}, userReads), p.reads},
			writes: places{make(chan struct{}, userWrites), p.writes},
		}
		u.closing.init(p, u.forget)
		p.users[h.ID] = u
	}
	u.joined++
	return u
}

// join counts one more use.
func (u *User) join() {
	u.pool.mu.Lock()
	defer u.pool.mu.Unlock()
	u.joined++
}

// Leave ends a use of the user. A file that is open is a use.
func (u *User) Leave() {
	u.closing.mu.Lock()
	defer u.closing.mu.Unlock()
	u.pool.mu.Lock()
	u.joined--
	u.pool.mu.Unlock()
	if u.pending == 0 {
		u.forget()
	}
}

// forget forgets a user who is not used and of whom nothing is pending: who comes back while a
// closing hangs has no further places. closing.mu is held.
func (u *User) forget() {
	u.pool.mu.Lock()
	defer u.pool.mu.Unlock()
	if u.joined == 0 && u.pool.users[u.id] == u {
		delete(u.pool.users, u.id)
		u.account.Close()
	}
}

// Refuse closes the connection of somebody who is no user yet. It never waits.
func (p *Pool) Refuse(c io.Closer) { p.refused.Discard(c) }

// Wait waits until everything is closed that was handed over, for a time at most: closings that
// hang are abandoned.
func (p *Pool) Wait(limit time.Duration) {
	p.mu.Lock()
	if p.closers == 0 {
		p.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	p.idle = idle
	p.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// goClose runs f on a goroutine for which Wait waits.
func (p *Pool) goClose(f func()) {
	p.mu.Lock()
	p.closers++
	p.mu.Unlock()
	go func() {
		f()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.closers--; p.closers == 0 && p.idle != nil {
			close(p.idle)
			p.idle = nil
		}
	}()
}
