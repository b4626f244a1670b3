package compact

import (
	"slices"
	"testing"
	"time"
)

// device is a device in synthetic time, whose chains are numbers.
type device struct {
	State
	now      time.Time
	unmerged int
	early    bool // the unmerged chains have not caught up
}

func (d *device) Len() int       { return d.unmerged }
func (d *device) Idle() int      { return d.unmerged }
func (d *device) CaughtUp() bool { return !d.early }

func newDevice() *device {
	d := &device{now: time.Unix(1000, 0)}
	d.Unmerged, d.Started = d, true
	return d
}

func (d *device) next() (*Job, time.Duration) { return Next(&d.State, d.now) }

// connect connects n chains, one each millisecond, and does each job at once. It returns how
// many chains were built into segments.
func (d *device) connect(n int) (built int) {
	for range n {
		d.now = d.now.Add(time.Millisecond)
		d.unmerged++
		d.Changed = d.now
		for j, _ := d.next(); j != nil; j, _ = d.next() {
			built += d.do(j)
		}
	}
	return built
}

// do does a job at once.
func (d *device) do(j *Job) (chains int) {
	var kept []Segment
	for i, s := range d.Segments {
		if slices.Contains(j.Segments, i) {
			chains += s.Chains - s.Gone
		} else {
			kept = append(kept, s)
		}
	}
	if j.Unmerged {
		chains, d.unmerged = chains+d.unmerged, 0
	}
	d.Segments = append(kept, Segment{Chains: chains})
	return chains
}

// While flows and packets come, a chain is rebuilt about as often as the logarithm of the
// number of chains; few chains are unmerged, and there are few segments. When it is quiet,
// all become one.
func TestFlowsCome(t *testing.T) {
	const flows = 100_000
	d := newDevice()
	d.Traffic = true
	built := d.connect(flows)
	if built > 4*flows {
		t.Errorf("%d flows were built into segments %d times", flows, built)
	}
	if d.unmerged > MaxUnmerged || len(d.Segments) > 5*fanIn {
		t.Errorf("%d are unmerged, beside %d segments", d.unmerged, len(d.Segments))
	}
	j, wait := d.next()
	if j != nil || wait != quietAfter {
		t.Fatalf("after the last: %+v, ask again in %v", j, wait)
	}
	d.now = d.now.Add(wait)
	if j, _ = d.next(); j == nil || !j.All || d.do(j) != flows {
		t.Fatalf("in silence: %+v", j)
	}
	if j, wait = d.next(); j != nil || wait != 0 || !d.Quiet() {
		t.Errorf("when all are one: %+v, ask again in %v", j, wait)
	}
}

// Next depends on the state and the time alone.
func TestNext(t *testing.T) {
	small, large := Segment{Chains: 20}, Segment{Chains: 5000}
	for name, c := range map[string]struct {
		state func(d *device)
		after time.Duration // the last connect
		want  *Job
		wait  time.Duration
	}{
		"nothing":                         {func(d *device) {}, 0, nil, 0},
		"a few, as packets come":          {func(d *device) { d.unmerged, d.Traffic = MaxUnmerged, true }, 0, nil, quietAfter},
		"more, as packets come":           {func(d *device) { d.unmerged, d.Traffic = MaxUnmerged+1, true }, 0, &Job{Unmerged: true}, 0},
		"more in silence":                 {func(d *device) { d.unmerged = MaxIdle }, 0, nil, quietAfter},
		"very many in silence":            {func(d *device) { d.unmerged = MaxIdle + 1 }, 0, &Job{Unmerged: true}, 0},
		"a file that nobody has started":  {func(d *device) { d.unmerged, d.Started = MaxIdle+1, false }, 0, nil, quietAfter},
		"one is being built":              {func(d *device) { d.unmerged, d.Traffic, d.Building.Small = 100, true, true }, 0, nil, 0},
		"a large one is being built":      {func(d *device) { d.unmerged, d.Traffic, d.Building.Large = 100, true, true }, 0, &Job{Unmerged: true}, 0},
		"quiet":                           {func(d *device) { d.unmerged, d.Segments = 1, []Segment{small} }, quietAfter, &Job{Unmerged: true, Segments: []int{0}, Large: true, All: true}, 0},
		"quiet, but one has to catch up":  {func(d *device) { d.unmerged, d.early = 1, true }, quietAfter, nil, quietAfter},
		"quiet, all are one":              {func(d *device) { d.Segments = []Segment{large} }, quietAfter, nil, 0},
		"a tier is full":                  {func(d *device) { d.Segments = append(slices.Repeat([]Segment{small}, fanIn), large) }, 0, &Job{Segments: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}, 0},
		"a tier is full, one is busy":     {func(d *device) { d.Segments = slices.Repeat([]Segment{small}, fanIn); d.Segments[3].Busy = true }, 0, nil, quietAfter},
		"most have gone":                  {func(d *device) { d.Segments = []Segment{{Chains: 20, Gone: 11}} }, 0, &Job{Segments: []int{0}}, 0},
		"most of a large one":             {func(d *device) { d.Segments = []Segment{{Chains: 5000, Gone: 2501}}; d.Building.Large = true }, 0, nil, 0},
		"some could not be shared":        {func(d *device) { d.Segments = []Segment{{Chains: 20, Early: true}} }, quietAfter, nil, quietAfter},
		"now they can":                    {func(d *device) { d.Segments = []Segment{{Chains: 20, Early: true, Ripe: true}} }, 0, &Job{Segments: []int{0}}, 0},
		"a rest, a few":                   {func(d *device) { d.unmerged, d.Resume = 5, d.now.Add(time.Hour) }, quietAfter, nil, time.Hour - quietAfter},
		"a rest, more":                    {func(d *device) { d.unmerged, d.Resume = 17, d.now.Add(time.Hour) }, 0, nil, quietAfter},
		"a rest, more, and no flow comes": {func(d *device) { d.unmerged, d.Resume = 17, d.now.Add(time.Hour) }, quietAfter, &Job{Unmerged: true}, 0},
	} {
		d := newDevice()
		c.state(d)
		d.Changed = d.now
		d.now = d.now.Add(c.after)
		j, wait := d.next()
		if same := j == nil && c.want == nil || j != nil && c.want != nil && j.Unmerged == c.want.Unmerged && j.Large == c.want.Large &&
			j.All == c.want.All && slices.Equal(j.Segments, c.want.Segments); !same || wait != c.wait {
			t.Errorf("%s: %+v, ask again in %v, want %+v and %v", name, j, wait, c.want, c.wait)
		}
	}
}

// A very large number of waiting chains is merged before the first packet.
func TestFirst(t *testing.T) {
	for _, c := range []struct {
		unmerged    int
		building    Building
		build, wait bool
	}{
		{MaxIdle, Building{}, false, false},
		{MaxIdle + 1, Building{}, true, true},
		{MaxIdle + 1, Building{Small: true}, false, true},
		{MaxIdle + 1, Building{Large: true}, false, true},
	} {
		d := newDevice()
		d.unmerged, d.Building = c.unmerged, c.building
		if j, wait := First(&d.State); (j != nil) != c.build || wait != c.wait || j != nil && !j.All {
			t.Errorf("%+v: %+v, %v", c, j, wait)
		}
	}
}

// A connect waits only if many chains are unmerged and a small segment is being built.
func TestCrowded(t *testing.T) {
	d := newDevice()
	d.unmerged = MaxCrowd + 1
	if d.Crowded() {
		t.Error("waits for nothing")
	}
	if d.Building.Small = true; !d.Crowded() {
		t.Error("does not wait")
	}
	if d.unmerged--; d.Crowded() {
		t.Error("waits though few are unmerged")
	}
}
