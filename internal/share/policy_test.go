package share

import (
	"testing"
	"time"
)

// A device in synthetic time.
type device struct {
	Policy
	Reading
}

func newDevice(shares ...*Share) *device {
	return &device{Reading: Reading{Now: time.Unix(1000, 0), Shares: shares}}
}

// run lets time pass. The device works for busy of it, and shares take their costs.
func (d *device) run(took, busy time.Duration, fullness int, costs ...time.Duration) *Share {
	d.Now = d.Now.Add(took)
	d.Fullness = fullness
	d.Total.Batches++
	d.Total.Spent += busy
	d.Total.Busy += busy
	for i, c := range costs {
		d.Shares[i].charge(int64(c))
	}
	return d.Look(d.Reading)
}

const ms = time.Millisecond

// The dearest share is passed by if the device fills and the share is dear.
func TestLook(t *testing.T) {
	for name, c := range map[string]struct {
		before, after int // fullness
		busy          time.Duration
		costs         []time.Duration
		want          int // index, -1: none
	}{
		"one is dear":                   {30, 55, 100 * ms, []time.Duration{5 * ms, 90 * ms}, 1},
		"several are dear":              {30, 55, 100 * ms, []time.Duration{50 * ms, 40 * ms}, 0},
		"it is not half full":           {30, 45, 100 * ms, []time.Duration{5 * ms, 90 * ms}, -1},
		"it empties":                    {60, 55, 100 * ms, []time.Duration{5 * ms, 90 * ms}, -1},
		"it stays full":                 {100, 100, 100 * ms, []time.Duration{5 * ms, 90 * ms}, 1},
		"delivery alone is too slow":    {30, 55, 10 * ms, []time.Duration{2 * ms, 8 * ms}, -1},
		"nobody is dear":                {30, 55, 100 * ms, []time.Duration{5 * ms, 9 * ms}, -1},
		"nobody would have it better":   {30, 55, 100 * ms, []time.Duration{90 * ms}, -1},
		"nobody has flows":              {30, 55, 100 * ms, nil, -1},
		"it was interrupted, who knows": {30, 55, 0, []time.Duration{0, 0}, -1},
	} {
		var shares []*Share
		for range c.costs {
			shares = append(shares, New(&Payer{}))
		}
		d := newDevice(shares...)
		if s := d.run(0, 0, c.before); s != nil {
			t.Errorf("%s: passed by at the first look", name)
		}
		got := d.run(100*ms, c.busy, c.after, c.costs...)
		if c.want < 0 && got != nil || c.want >= 0 && got != shares[c.want] {
			t.Errorf("%s: wrong", name)
		}
	}
}

// Costs are compared over some time, in which a batch was metered.
func TestWindow(t *testing.T) {
	a, b := New(&Payer{}), New(&Payer{})
	d := newDevice(a, b)
	d.run(0, 0, 50)
	if d.run(20*ms, 20*ms, 60, 15*ms, 5*ms) != nil {
		t.Error("too early")
	}
	if d.run(40*ms, 40*ms, 70, 5*ms, 35*ms) != b {
		t.Error("the costs of the whole window do not count")
	}
	d.Restart()
	if d.run(100*ms, 100*ms, 80, 90*ms, 0) != nil || d.run(100*ms, 100*ms, 90, 0, 90*ms) != b {
		t.Error("what was before the restart counts")
	}
	d.Total.Batches--
	if d.run(100*ms, 100*ms, 95, 90*ms, 0) != nil {
		t.Error("no batch was metered")
	}
}

// A share is passed by for longer each time, up to a bound, until it has behaved well.
func TestTerm(t *testing.T) {
	s, now := New(&Payer{}), time.Unix(1000, 0)
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		s.Pass(now)
		if !s.Passed() || s.Left(now) != want*time.Second {
			t.Errorf("passed by for %v, want %v s", s.Left(now), want)
		}
		now = now.Add(s.Left(now))
		if s.Left(now) != 0 || !s.Passed() {
			t.Error("the term has ended and the share is back by itself")
		}
		s.Return(now)
		now = now.Add(time.Second)
	}
	now = now.Add(forgiven * longestTerm)
	if s.Pass(now); s.Left(now) != firstTerm {
		t.Errorf("passed by for %v after a long time", s.Left(now))
	}
}
