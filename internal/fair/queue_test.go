package fair

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// A counter is a queue with a clock of its own, and those who wait in it.
type counter struct {
	*testing.T
	*Queue[uint32]
	clock time.Time
	queue []asked
}

// An asked is a waiter with its user.
type asked struct {
	user uint32
	*waiter
}

const halfLife = 10 * time.Second

func newCounter(t *testing.T, o QueueOptions) *counter {
	c := &counter{T: t, clock: time.Unix(1, 0)}
	c.Queue = NewQueue(o, NewLedger[uint32](halfLife, func() time.Time { return c.clock }))
	return c
}

// ask lets a user wait some times.
func (c *counter) ask(user uint32, times int) {
	for range times {
		c.queue = append(c.queue, asked{user, c.wait(user)})
	}
}

// served returns the users who have got a place since the last call.
func (c *counter) served() (users []uint32) {
	c.queue = slices.DeleteFunc(c.queue, func(a asked) bool {
		select {
		case <-a.ready:
			users = append(users, a.user)
			return true
		default:
			return false
		}
	})
	return users
}

func (c *counter) want(what string, users ...uint32) {
	c.Helper()
	if got := c.served(); !slices.Equal(got, users) {
		c.Errorf("%s: users %v are served, want %v", what, got, users)
	}
}

var four = QueueOptions{Places: 4, PerUser: 2, Little: time.Second}

// Two users who ask without an end never take the last place, so a third one is served at once.
func TestPlaceForWhoHasUsedLittle(t *testing.T) {
	c := newCounter(t, four)
	c.ask(1, 50)
	c.ask(2, 50)
	c.want("two users ask for much", 1, 1, 2)
	for range 20 {
		c.clock = c.clock.Add(5 * time.Second)
		c.leave(1)
		c.served()
		c.ask(3, 1)
		c.want("a user who has used little", 3)
		c.clock = c.clock.Add(time.Millisecond)
		c.leave(3)
		if n := len(c.served()); n != 0 {
			t.Errorf("%d of those who have used much have the last place", n)
		}
	}
}

// Of those who wait, the one who has used the least time lately is served first, and among equals
// the one who came first.
func TestOrder(t *testing.T) {
	c := newCounter(t, QueueOptions{Places: 1, PerUser: 1})
	c.ask(9, 1)
	c.want("the first", 9)
	c.ledger.Charge(1, 3*time.Second)
	c.ledger.Charge(2, 2*time.Second)
	for _, user := range []uint32{1, 9, 2, 1, 4, 3} {
		c.ask(user, 1)
	}
	last, hold := uint32(9), 2500*time.Millisecond
	for _, next := range []uint32{4, 3, 2, 9, 1, 1} {
		c.clock = c.clock.Add(hold)
		hold = 0
		c.leave(last)
		c.want("in turn", next)
		last = next
	}
}

// Time is charged when a place is given back, for all places of the user, and decays.
func TestLedger(t *testing.T) {
	c := newCounter(t, four)
	c.ask(1, 2)
	c.clock = c.clock.Add(2 * time.Second)
	if used := c.used(1, c.users[1]); used != 4*time.Second {
		t.Errorf("while two places are held for 2 s: %v", used)
	}
	c.leave(1)
	c.leave(1)
	for _, want := range []time.Duration{4 * time.Second, 2 * time.Second, time.Second} {
		if used := c.ledger.Used(1).Round(time.Millisecond); used != want {
			t.Errorf("%v are used, want %v", used, want)
		}
		c.clock = c.clock.Add(halfLife)
	}
	if len(c.users) != 0 {
		t.Errorf("%d users are left in the queue", len(c.users))
	}
}

// Users who have used nothing lately are forgotten.
func TestLedgerForgets(t *testing.T) {
	now := time.Unix(1, 0)
	l := NewLedger[uint32](halfLife, func() time.Time { return now })
	for user := range uint32(10 * fewUsers) {
		now = now.Add(halfLife)
		l.Charge(user, time.Second)
	}
	if n := len(l.users); n > 2*fewUsers {
		t.Errorf("%d users are remembered", n)
	}
	if used := l.Used(10*fewUsers - 1); used != time.Second {
		t.Errorf("the last one has used %v", used)
	}
}

func TestEnter(t *testing.T) {
	q := NewQueue(QueueOptions{Places: 1, PerUser: 1}, NewLedger[uint32](halfLife, nil))
	leave, err := q.Enter(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Enter(ctx, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	leave()
	leave() // does nothing
	if q.free != 1 || len(q.users) != 0 {
		t.Errorf("%d places are free, %d users are left", q.free, len(q.users))
	}
}

// Nobody gets more places than there are, and everybody is served.
func TestEnterTogether(t *testing.T) {
	q := NewQueue(four, NewLedger[uint32](halfLife, nil))
	var wg sync.WaitGroup
	held := make(chan struct{}, four.Places)
	for user := range uint32(20) {
		for range 5 {
			wg.Go(func() {
				leave, err := q.Enter(t.Context(), user)
				if err != nil {
					t.Error(err)
					return
				}
				defer leave()
				select {
				case held <- struct{}{}:
					<-held
				default:
					t.Error("too many places")
				}
			})
		}
	}
	wg.Wait()
}
