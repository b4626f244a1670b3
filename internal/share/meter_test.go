package share

import (
	"testing"
	"time"
)

// clocks are synthetic: work takes time of the thread, and waiting does not.
type clocks struct{ wall, thread int64 }

func (c *clocks) work(d time.Duration) { c.wall += int64(d); c.thread += int64(d) }
func (c *clocks) wait(d time.Duration) { c.wall += int64(d) }

func newMeter() (*Meter, *clocks) {
	c, m := &clocks{}, &Meter{}
	m.SetClocks(func() int64 { return c.wall }, func() int64 { return c.thread })
	return m, c
}

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d < -time.Microsecond || d > time.Microsecond {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Each share is charged for its work and for its part of common work, and a batch stands for
// others.
func TestMeter(t *testing.T) {
	m, c := newMeter()
	var one, two Payer
	a, b := New(&one), New(&two)
	var common Bill
	common.Add(a, 1)
	common.Add(b, 2)
	common.Add(a, 1)
	common.Add(nil, 5)
	m.Begin()
	c.work(time.Millisecond) // nobody's
	m.ToAll(&common)
	c.work(8 * time.Millisecond)
	m.To(a)
	c.work(3 * time.Millisecond)
	m.To(a)
	m.To(b)
	c.work(2 * time.Millisecond)
	m.ToNobody()
	c.work(6 * time.Millisecond)
	if took := m.End(10); took != 20*time.Millisecond {
		t.Errorf("the batch took %v", took)
	}
	near(t, "a", a.Spent(), 70*time.Millisecond)
	near(t, "b", b.Spent(), 60*time.Millisecond)
	near(t, "payer of a", one.Spent(), 70*time.Millisecond)
	if all := m.Total(); all != (Total{1, 200 * time.Millisecond, 200 * time.Millisecond}) {
		t.Errorf("totals: %+v", all)
	}
	m.Begin()
	m.To(b)
	c.work(time.Millisecond)
	m.End(1)
	near(t, "a after a batch without work for it", a.Spent(), 70*time.Millisecond)
	near(t, "b after another batch", b.Spent(), 61*time.Millisecond)
}

// The time for which the thread was interrupted is not charged.
func TestInterruptedThread(t *testing.T) {
	m, c := newMeter()
	a := New(&Payer{})
	b := New(&Payer{})
	m.Most = 10 * time.Millisecond
	m.Begin()
	m.To(a)
	c.work(time.Millisecond)
	c.wait(90 * time.Millisecond)
	m.To(b)
	c.wait(7 * time.Millisecond)
	c.work(2 * time.Millisecond)
	for range sameCalls {
		if !m.To(a) {
			t.Fatal("the share has taken its most by being interrupted")
		}
	}
	m.End(1)
	near(t, "a", a.Spent(), time.Millisecond)
	near(t, "b", b.Spent(), 2*time.Millisecond)
	if all := m.Total(); all.Spent != 3*time.Millisecond || all.Busy != 100*time.Millisecond {
		t.Errorf("totals: %+v", all)
	}
}

// A share that has taken its most is told so within a few calls, in this batch alone.
func TestMost(t *testing.T) {
	m, c := newMeter()
	m.Most = 10 * time.Millisecond
	a, b := New(&Payer{}), New(&Payer{})
	for range 2 {
		m.Begin()
		done := 0
		for range 100 {
			if m.To(a) {
				c.work(time.Millisecond)
				done++
			}
		}
		if done < 10 || done > 10+sameCalls {
			t.Errorf("%d calls were allowed", done)
		}
		if !m.To(b) || !m.To(nil) {
			t.Error("others are not allowed to work")
		}
		m.End(1)
	}
}

func TestCancel(t *testing.T) {
	m, c := newMeter()
	a := New(&Payer{})
	var bill Bill
	bill.Add(a, 1)
	m.Begin()
	m.ToAll(&bill)
	c.work(time.Millisecond)
	m.To(a)
	m.Cancel()
	m.Cancel()
	m.ToNobody()
	if m.Begin(); m.End(1) != 0 || a.Spent() != 0 {
		t.Errorf("%v is charged", a.Spent())
	}
}

func TestMeterDoesNotAllocate(t *testing.T) {
	var m Meter // with the real clocks
	a, b := New(&Payer{}), New(&Payer{})
	var bill Bill
	bill.Add(a, 1)
	bill.Add(b, 1)
	if n := testing.AllocsPerRun(100, func() {
		m.Begin()
		m.ToAll(&bill)
		m.To(a)
		m.To(b)
		m.End(1)
	}); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}
