// Package account keeps what each user has taken of the daemon, and decides whether there may
// be more.
//
// Everything that a client can make the daemon take is charged to the account of one user,
// whatever the number of connections: see Kind. Each kind has a limit for a user and one for
// all users together. Some of what all may have is kept free for root and for users who have
// little, and from three quarters in use on, a user who has more than an equal part gets
// nothing more. So no user can take the last place.
//
// Charging neither locks nor waits, so functions may charge while packets come. Any goroutine
// may call everything.
//
// Files in reading order; each uses those before it:
//
//	kind.go     what is charged
//	limits.go   how much a user and all users may have
//	machine.go  how much there is
//	refusal.go  what a user is told
//	account.go  the accounts
package account

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/internal/share"
)

// A Holder is whose account it is. Holders with the same ID share an account.
type Holder struct {
	ID   string // "user 1000"; for people, too
	Root bool   // is bound by what there is in all only
}

// Accounts are the accounts of a daemon.
type Accounts struct {
	limits atomic.Pointer[Limits]
	taken  [kinds]atomic.Int64
	users  atomic.Int64 // accounts that are open

	mu    sync.Mutex
	known map[string]*Account // those that are open, and those that were lately
	last  uint32              // number given last
}

// memory is how long an account is remembered after it was closed: who comes back has used what
// was used before.
const memory = time.Minute

// New makes accounts without users.
func New(l Limits) *Accounts {
	a := &Accounts{known: make(map[string]*Account)}
	a.SetLimits(l)
	return a
}

// SetLimits changes the limits. What users have beyond them they keep.
func (a *Accounts) SetLimits(l Limits) { a.limits.Store(&l) }

// Limits returns the limits.
func (a *Accounts) Limits() Limits { return *a.limits.Load() }

// Taken returns how much all users have of a kind.
func (a *Accounts) Taken(k Kind) int64 { return a.taken[k].Load() }

// An Account is what one user has taken.
type Account struct {
	Holder  Holder
	Number  uint32      // differs from those of all other accounts that are open
	CPU     share.Payer // time of the processors on the way of packets
	all     *Accounts
	taken   [kinds]atomic.Int64
	refused [kinds]atomic.Uint64
	own     atomic.Pointer[Own]
	// Under Accounts.mu: times that it was opened and not closed, and when it was closed last.
	opened int
	closed time.Time
}

// Open returns the account of a holder. The caller closes it once.
func (a *Accounts) Open(h Holder) *Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.known[h.ID]
	if u == nil {
		a.forget()
		a.last++
		u = &Account{Holder: h, Number: a.last, all: a}
		a.known[h.ID] = u
	}
	if u.opened++; u.opened == 1 {
		a.users.Add(1)
	}
	return u
}

// forget drops accounts that were closed some time ago.
func (a *Accounts) forget() {
	for id, u := range a.known {
		if u.opened == 0 && time.Since(u.closed) > memory {
			delete(a.known, id)
		}
	}
}

// Close ends one use of the account. It is forgotten some time after the last one.
func (u *Account) Close() {
	u.all.mu.Lock()
	defer u.all.mu.Unlock()
	if u.opened--; u.opened == 0 {
		u.closed = time.Now()
		u.all.users.Add(-1)
	}
}

// List returns the accounts that are open, by ID.
func (a *Accounts) List() []*Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*Account, 0, len(a.known))
	for _, id := range slices.Sorted(maps.Keys(a.known)) {
		if u := a.known[id]; u.opened > 0 {
			list = append(list, u)
		}
	}
	return list
}

// SetOwn gives the account limits of its own; nil: none. What the user has beyond them it keeps.
func (u *Account) SetOwn(o Own) { u.own.Store(&o) }

// Limit returns how much of a kind the user may have.
func (u *Account) Limit(k Kind) int64 {
	l, _ := u.limit(k)
	if u.Holder.Root {
		return l.All
	}
	return l.User
}

// limit returns the limit of a kind, and the key of the user's part in mapi.conf.
func (u *Account) limit(k Kind) (l Limit, key string) {
	l = u.all.limits.Load()[k]
	if own := u.own.Load(); own != nil {
		if o, ok := (*own)[k]; ok {
			l.User = min(o.Amount, l.All)
			return l, o.Key
		}
	}
	return l, ""
}

// Taken returns how much the user has of a kind.
func (u *Account) Taken(k Kind) int64 { return u.taken[k].Load() }

// Refused returns how often the user was refused more of a kind.
func (u *Account) Refused(k Kind) uint64 { return u.refused[k].Load() }

// Take charges n of a kind. The error is a *Refusal; nothing is then charged. It allocates only
// then.
func (u *Account) Take(k Kind, n int64) error {
	if r := u.take(k, n); r.bound != none {
		return &r
	}
	return nil
}

// TryTake is Take for callers that must not allocate.
func (u *Account) TryTake(k Kind, n int64) bool {
	r := u.take(k, n)
	return r.bound == none
}

// A Sum is how much of each kind something takes.
type Sum [kinds]int64

// TakeSum charges a sum, or nothing of it. The error is a *Refusal.
func (u *Account) TakeSum(s Sum) error {
	for k, n := range s {
		if n == 0 {
			continue
		}
		if err := u.Take(Kind(k), n); err != nil {
			clear(s[k:])
			u.GiveSum(s)
			return err
		}
	}
	return nil
}

// GiveSum gives back a sum.
func (u *Account) GiveSum(s Sum) {
	for k, n := range s {
		if n != 0 {
			u.Give(Kind(k), n)
		}
	}
}

// Give gives back n of a kind.
func (u *Account) Give(k Kind, n int64) {
	u.taken[k].Add(-n)
	u.all.taken[k].Add(-n)
}

// take charges the user before all. All are charged only what they may have: what a user asks for
// in vain is at no moment missing for another.
func (u *Account) take(k Kind, n int64) Refusal {
	l, key := u.limit(k)
	users := u.all.users.Load()
	own := u.taken[k].Add(n)
	b, all := l.ofUser(u.Holder.Root, own), u.all.taken[k].Load()
	for b == none {
		if b = l.ofAll(u.Holder.Root, own, all+n, users); b == none && u.all.taken[k].CompareAndSwap(all, all+n) {
			return Refusal{}
		}
		if b == none {
			all = u.all.taken[k].Load()
		}
	}
	u.taken[k].Add(-n)
	u.refused[k].Add(1)
	return Refusal{Holder: u.Holder, Kind: k, Wanted: n, Own: own - n, All: all, Limit: l, key: key, bound: b, users: users}
}
