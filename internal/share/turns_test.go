package share

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/internal/testenv"
)

// hands counts who works, and checks that they are few.
type hands struct {
	*Turns
	t     *testing.T
	clock atomic.Int64 // ns
}

// newHands makes turns with a clock that those who work move.
func newHands(t *testing.T, n int) *hands {
	h := &hands{Turns: NewTurns(n), t: t}
	h.now = func() time.Time { return time.Unix(1000, h.clock.Load()) }
	return h
}

// worker is a goroutine that works in steps until the context ends. It adds its time to took.
func (h *hands) worker(ctx context.Context, p *Payer, step time.Duration, took *atomic.Int64) (ended chan struct{}) {
	ended = make(chan struct{})
	u := h.New(p)
	go func() {
		defer close(ended)
		u.Begin(ctx)
		defer u.End()
		for ctx.Err() == nil {
			h.clock.Add(int64(step))
			took.Add(int64(step))
			u.Check(ctx)
		}
	}()
	return ended
}

// A user with many workers gets no more time than one with a single worker.
func TestTurnsAreFair(t *testing.T) {
	h := newHands(t, 1)
	var many, single Payer
	var manyTook, singleTook atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	first := h.New(&Payer{})
	first.Begin(ctx)
	var ends []chan struct{}
	for range 20 {
		ends = append(ends, h.worker(ctx, &many, time.Millisecond, &manyTook))
	}
	waitFor(h, 20)
	ends = append(ends, h.worker(ctx, &single, time.Millisecond, &singleTook))
	waitFor(h, 21)
	total := func() time.Duration { return many.Spent() + single.Spent() }
	first.End()
	testenv.Until(t, "some time was taken", func() bool { return total() > 2*time.Second })
	cancel()
	for _, e := range ends {
		<-e
	}
	if m, s := time.Duration(manyTook.Load()), time.Duration(singleTook.Load()); m > s*3/2 || s > m*3/2 {
		t.Errorf("the user with many workers took %v, the other one %v", m, s)
	}
	if h.free != 1 || len(h.payers) != 0 || len(h.resting) != 0 || h.waiters.Load() != 0 {
		t.Errorf("in the end: %+v", h.Turns)
	}
}

// waitFor waits until n goroutines wait.
func waitFor(h *hands, n int32) {
	h.t.Helper()
	testenv.Until(h.t, "goroutines wait", func() bool { return h.waiters.Load() == n })
}

// Who rests can be replaced, at once or later, and who is replaced waits.
func TestRest(t *testing.T) {
	h := newHands(t, 1)
	ctx := t.Context()
	a, b := h.New(&Payer{}), h.New(&Payer{})
	a.Begin(ctx)
	a.Rest()
	a.Resume(ctx) // nobody has taken it
	a.Rest()
	b.Begin(ctx) // takes it
	resumed := make(chan struct{})
	go func() { a.Resume(ctx); close(resumed) }()
	waitFor(h, 1)
	b.Rest() // gives it
	<-resumed
	if !a.has || b.has {
		t.Error("the turn is not where it was given")
	}
	b.End()
	a.End()
	a.Rest()
	a.Resume(ctx)
	if h.free != 1 || a.has {
		t.Errorf("%d turns are free", h.free)
	}
}

// A turn goes on while nobody waits, and time that somebody rests costs nothing.
func TestLoneWorker(t *testing.T) {
	h := newHands(t, 1)
	var p Payer
	u := h.New(&p)
	u.Begin(t.Context())
	for range 100 {
		h.clock.Add(int64(turnLength))
		u.Check(t.Context())
	}
	u.Rest()
	h.clock.Add(int64(time.Hour))
	u.Resume(t.Context())
	u.End()
	if p.Spent() != 100*turnLength {
		t.Errorf("charged %v, want %v", p.Spent(), 100*turnLength)
	}
}

// Waiting ends with the context.
func TestGiveUp(t *testing.T) {
	h := newHands(t, 1)
	a, b := h.New(&Payer{}), h.New(&Payer{})
	a.Begin(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	given := make(chan struct{})
	go func() { b.Begin(ctx); b.End(); close(given) }()
	waitFor(h, 1)
	cancel()
	<-given
	a.End()
	if h.free != 1 || h.waiters.Load() != 0 {
		t.Errorf("%d turns are free, %d wait", h.free, h.waiters.Load())
	}
}

// What was taken long ago does not count.
func TestRecently(t *testing.T) {
	var p Payer
	now := time.Unix(1000, 0)
	p.recently(now)
	p.spent.Add(1000)
	if got := p.recently(now); got != 1000 {
		t.Errorf("%v at once", got)
	}
	if got := p.recently(now.Add(2 * halfLife)); got != 250 {
		t.Errorf("%v after two half-lives", got)
	}
}
