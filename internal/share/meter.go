package share

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Meter measures what a batch costs each share. Few batches are metered, and stand for the
// others. While one is, the goroutine tells the meter whose work begins; the meter reads the
// clock. The zero value is a meter that is off. One goroutine owns it, except for the totals.
type Meter struct {
	// On is set while a batch is metered. The other methods are called only then.
	On bool
	// Most limits the time of one share in a metered batch, see To. 0: no limit.
	Most time.Duration

	wall, thread func() int64 // clocks, ns
	began, last  int64        // wall time of the beginning, and of the last reading
	ran          int64        // time of the thread at the beginning
	known, brief int64        // time of the thread when it was read last, and what was charged since
	charged      int64        // in all, ns
	share        *Share       // whose work is under way; nil: that of bill
	bill         *Bill        // nil: nobody's
	same         int          // calls of To since the clock was read
	shares       []*Share     // that have a time
	bills        []*Bill

	batches, spent, busy atomic.Int64
}

// A Total is what the metered batches, and those for which they stand, have taken so far.
type Total struct {
	Batches int64         // metered ones alone
	Spent   time.Duration // of the processor, for all shares and for nobody
	Busy    time.Duration // from beginning to end
}

// Total returns the totals. Any goroutine may call it.
func (m *Meter) Total() Total {
	return Total{m.batches.Load(), time.Duration(m.spent.Load()), time.Duration(m.busy.Load())}
}

// SetClocks replaces the clocks, of the wall and of the thread, for tests.
func (m *Meter) SetClocks(wall, thread func() int64) { m.wall, m.thread = wall, thread }

var start = time.Now()

func wallClock() int64 { return int64(time.Since(start)) }

func threadClock() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// Begin begins to meter a batch. The goroutine stays on its thread until End or Cancel.
func (m *Meter) Begin() {
	if m.wall == nil {
		m.wall, m.thread = wallClock, threadClock
	}
	runtime.LockOSThread()
	m.On = true
	m.ran = m.thread()
	m.known, m.brief, m.charged = m.ran, 0, 0
	m.began = m.wall()
	m.last = m.began
}

// sameCalls is the number of calls of To for the same share after which the clock is read.
const sameCalls = 8

// To says that work for a share begins, nil: for nobody. It returns false if the share has
// taken its Most in this batch: the caller leaves the work undone.
func (m *Meter) To(s *Share) bool {
	if s == m.share && m.bill == nil {
		if m.same++; m.same < sameCalls {
			return m.allows(s)
		}
	}
	m.read()
	m.share, m.bill = s, nil
	if s != nil && !s.listed {
		s.listed = true
		m.shares = append(m.shares, s)
	}
	return m.allows(s)
}

// ToNobody says that work begins for which nobody pays. It may be called at any time.
func (m *Meter) ToNobody() {
	if m.On {
		m.To(nil)
	}
}

func (m *Meter) allows(s *Share) bool { return s == nil || m.Most == 0 || s.time < int64(m.Most) }

// ToAll says that work begins for which the shares of a bill pay.
func (m *Meter) ToAll(b *Bill) {
	if b == m.bill {
		return
	}
	m.read()
	m.share, m.bill = nil, b
	if !b.listed {
		b.listed = true
		m.bills = append(m.bills, b)
	}
}

// longRead is the time after which the system may have interrupted the thread, so that its own
// clock is read too, which takes longer.
const longRead = int64(time.Millisecond)

// read charges the time since the last reading.
func (m *Meter) read() {
	now := m.wall()
	d := now - m.last
	if d < longRead {
		m.brief += d
	} else {
		t := m.thread()
		d = min(d, max(0, t-m.known-m.brief))
		m.known, m.brief = t, 0
	}
	switch {
	case m.share != nil:
		m.share.time += d
	case m.bill != nil:
		m.bill.time += d
	}
	m.charged += d
	m.last, m.same = now, 0
}

// End ends the batch, which stands for a number of batches, itself included, and charges the
// shares with what it has taken of the processor. End returns its time from beginning to end.
func (m *Meter) End(batches int) time.Duration {
	m.read()
	wall, ran := m.last-m.began, m.thread()-m.ran
	ran = min(ran, wall)
	for _, b := range m.bills {
		m.divide(b)
	}
	factor := min(1, float64(ran)/float64(max(m.charged, 1))) * float64(batches)
	for _, s := range m.shares {
		s.charge(int64(float64(s.time) * factor))
	}
	m.batches.Add(1)
	m.spent.Add(ran * int64(batches))
	m.busy.Add(wall * int64(batches))
	m.Cancel()
	return time.Duration(wall)
}

// divide divides a bill among its shares.
func (m *Meter) divide(b *Bill) {
	for _, p := range b.parts {
		if !p.share.listed {
			p.share.listed = true
			m.shares = append(m.shares, p.share)
		}
		p.share.time += int64(float64(b.time) * float64(p.weight) / float64(b.weight))
	}
}

// Cancel ends the batch and charges nobody.
func (m *Meter) Cancel() {
	if !m.On {
		return
	}
	for _, b := range m.bills {
		b.time, b.listed = 0, false
	}
	for _, s := range m.shares {
		s.time, s.listed = 0, false
	}
	clear(m.bills)
	clear(m.shares)
	m.bills, m.shares = m.bills[:0], m.shares[:0]
	m.On, m.share, m.bill = false, nil, nil
	runtime.UnlockOSThread()
}
