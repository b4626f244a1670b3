package engine

import (
	"fmt"
	"sync/atomic"

	"gomapi/internal/account"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
)

// Limits of one user that are not in its account. Root is bound by them too.
const (
	maxCompiling = 2 // filters being compiled at a time
	maxBuilding  = 2 // segments of capture files being built at a time
)

// What things take, in bytes, as charged to accounts. TestChargedMemory compares it with the
// memory that a process really takes.
const (
	sessionMemory     = 192 << 10 // a connection: its buffers here and in the kernel, goroutines
	flowMemory        = 2 << 10
	functionMemory    = 1 << 10
	instructionMemory = 64 // of a filter program, with its part of a classifier
	textMemory        = 8  // a byte of a text argument, such as a pattern with its automaton
	resultMemory      = 32 // besides the result itself
	offlineMemory     = 3 << 20
	derivedMemory     = 256 << 10 // a derived device, besides its flows and functions
)

// What a connection, a capture file and a packet buffer or series take, besides the memory of
// a buffer.
var (
	sessionSum = account.Sum{account.Connections: 1, account.Descriptors: 8, account.Memory: sessionMemory}
	flowSum    = account.Sum{account.Memory: flowMemory}
	offlineSum = account.Sum{account.OfflineFiles: 1, account.Memory: offlineMemory} // until nothing reads the file any more
	ringSum    = account.Sum{account.Buffers: 1, account.Descriptors: 4}             // until the client has them
)

// A user is what the engine keeps of an identity with one payer, over all connections. What it
// takes is on the account of the payer, which several users may share. Engine.mu guards it.
type user struct {
	*identity
	account  *account.Account
	files    *foreign.User // of the account
	sessions int
}

// An identity is what its users share: they see the same flows. A user number has several payers
// if several containers use it. Engine.mu guards it.
type identity struct {
	users int
	flows order // by Flow.number
}

// userKey is a key for a user.
type userKey struct{ identity, payer string }

func (o Owner) key() userKey { return userKey{o.identity(), o.payer().ID} }

// identity is a key for who is behind a session: what a user may see goes by it.
func (o Owner) identity() string {
	if o.Client != "" {
		return "client " + o.Client
	}
	return fmt.Sprint("user ", o.UID)
}

// payer returns whose account a session uses.
func (o Owner) payer() account.Holder {
	if o.Payer.ID == "" {
		return account.Holder{ID: o.identity(), Root: o.UID == 0 && o.Client == ""}
	}
	return o.Payer
}

// joinLocked counts one more session of a user. Engine.mu is held.
func (e *Engine) joinLocked(o Owner) *user {
	key := o.key()
	u := e.users[key]
	if u == nil {
		id := e.identities[key.identity]
		if id == nil {
			id = &identity{}
			e.identities[key.identity] = id
		}
		id.users++
		u = &user{identity: id, account: e.opts.Accounts.Open(o.payer()), files: e.files.Join(o.payer())}
		e.users[key] = u
	}
	u.sessions++
	return u
}

// leaveLocked counts one session less. Engine.mu is held.
func (e *Engine) leaveLocked(s *Session) {
	u, key := s.user, s.owner.key()
	if u.sessions--; u.sessions > 0 {
		return
	}
	delete(e.users, key)
	if u.users--; u.users == 0 {
		delete(e.identities, key.identity)
	}
	u.files.Leave()
	u.account.Close()
}

// admit charges one more session. It refuses a user of whom very many descriptors wait to be
// closed, because each connection that ends adds its own.
func (u *user) admit(sum account.Sum) error {
	if sum[account.Connections] == 0 {
		return u.take(sum, mapierr.Memory)
	}
	if u.files.Overdue() {
		return mapierr.New(mapierr.AuthFailed, "the descriptors of %s cannot be closed, and very many wait: "+
			"end the peers of the sockets that linger (SO_LINGER), or the file systems that do not answer", u.account.Holder.ID)
	}
	return u.take(sum, mapierr.AuthFailed)
}

// take charges something to the account of the user. The error has the number code.
func (u *user) take(s account.Sum, code mapierr.Code) error {
	if err := u.account.TakeSum(s); err != nil {
		return mapierr.New(code, "%v", err)
	}
	return nil
}

// charge charges memory of an instance to its user. Session.free gives it back.
func (s *Session) charge(a *instance, memory int) error {
	if err := s.user.take(account.Sum{account.Memory: int64(memory)}, mapierr.Memory); err != nil {
		return err
	}
	a.memory.Add(int64(memory))
	return nil
}

// grant is charge for the capture goroutine.
func (s *Session) grant(a *instance, memory int) bool {
	if !s.user.account.TryTake(account.Memory, int64(memory)) {
		return false
	}
	a.memory.Add(int64(memory))
	return true
}

// chargeRing charges a packet buffer or series. Session.free gives it back.
func (s *Session) chargeRing(a *instance, memory int) error {
	if err := s.user.take(ringSum, mapierr.Memory); err != nil {
		return err
	}
	a.ringTaken = true
	return s.charge(a, memory)
}

// refund gives back what an instance has taken.
func (s *Session) refund(a *instance) {
	s.user.account.Give(account.Memory, a.memory.Swap(0))
	if a.ringTaken {
		s.user.account.GiveSum(ringSum)
		a.ringTaken = false
	}
}

// A stateQuota charges the state of an instance, such as tables, to the account of its user.
// It does not lock, because tables grow while packets come.
type stateQuota struct {
	user    *user
	charged atomic.Int64
	refusal error // the first one, also for all that follow: each packet may ask again
}

// Charge implements table.Quota.
func (q *stateQuota) Charge(bytes int) error {
	if q.refusal == nil {
		q.refusal = q.user.take(account.Sum{account.Memory: int64(bytes)}, mapierr.Memory)
		if q.refusal != nil {
			return q.refusal
		}
	} else if !q.user.account.TryTake(account.Memory, int64(bytes)) {
		return q.refusal
	}
	q.charged.Add(int64(bytes))
	return nil
}

// Release implements table.Quota.
func (q *stateQuota) Release(bytes int) {
	q.charged.Add(-int64(bytes))
	q.user.account.Give(account.Memory, int64(bytes))
}
