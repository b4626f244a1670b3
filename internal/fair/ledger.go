package fair

import (
	"math"
	"sync"
	"time"
)

// A Ledger has the time that each user has used lately. Time that was used a half-life ago counts
// half. Any goroutine may use a Ledger.
type Ledger[User comparable] struct {
	halfLife time.Duration
	now      func() time.Time

	mu    sync.Mutex
	users map[User]*used
	sweep int // number of users from which on those who have used nothing are forgotten
}

// used is the time that a user had used at a moment.
type used struct {
	seconds float64
	at      time.Time
}

// NewLedger makes a ledger. now is the clock, time.Now if nil.
func NewLedger[User comparable](halfLife time.Duration, now func() time.Time) *Ledger[User] {
	if now == nil {
		now = time.Now
	}
	return &Ledger[User]{halfLife: halfLife, now: now, users: make(map[User]*used), sweep: fewUsers}
}

// fewUsers is the number of users below which nobody is forgotten.
const fewUsers = 64

// leastUsed is the time below which a user counts as one who has used nothing.
const leastUsed = time.Millisecond

// Used returns the time that a user has used lately.
func (l *Ledger[User]) Used(user User) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.users[user]
	if u == nil {
		return 0
	}
	return l.decayed(u, l.now())
}

// Charge adds to the time of a user.
func (l *Ledger[User]) Charge(user User, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	u := l.users[user]
	if u == nil {
		l.forget(now)
		u = &used{}
		l.users[user] = u
	}
	u.seconds, u.at = (l.decayed(u, now) + max(d, 0)).Seconds(), now
}

// decayed returns what is left at a moment.
func (l *Ledger[User]) decayed(u *used, now time.Time) time.Duration {
	if u.seconds == 0 {
		return 0
	}
	ages := max(now.Sub(u.at), 0).Seconds() / l.halfLife.Seconds()
	return time.Duration(u.seconds * math.Exp2(-ages) * float64(time.Second))
}

// forget makes room when users have become many. It drops those who have used nothing lately.
func (l *Ledger[User]) forget(now time.Time) {
	if len(l.users) < l.sweep {
		return
	}
	for user, u := range l.users {
		if l.decayed(u, now) < leastUsed {
			delete(l.users, user)
		}
	}
	l.sweep = max(2*len(l.users), fewUsers)
}
