package stdflib

import "math"

// A lookback holds the values of the last looks, oldest first. Equal consecutive values
// form one run. So any number of looks at one value costs only the runs that it replaces.
type lookback struct {
	runs  []run // a ring with as many places as looks
	first int   // index of the oldest run
	n     int   // number of runs; after fill at least one
}

type run struct{ value, looks uint64 }

const runSize = 16 // bytes

func newLookback(looks int) *lookback { return &lookback{runs: make([]run, looks)} }

// fill makes v the value of all looks.
func (l *lookback) fill(v uint64) {
	l.first, l.n = 0, 1
	l.runs[0] = run{v, uint64(len(l.runs))}
}

// leaving returns the oldest value, which the next look at v replaces, and how many looks
// replace that same value.
func (l *lookback) leaving(v uint64) (old, looks uint64) {
	oldest := l.runs[l.first]
	if l.n == 1 && oldest.value == v {
		return v, math.MaxUint64
	}
	return oldest.value, oldest.looks
}

// add records looks at v, at most as many as leaving returned.
func (l *lookback) add(v, looks uint64) {
	oldest := &l.runs[l.first]
	if l.n == 1 && oldest.value == v {
		return
	}
	if oldest.looks -= looks; oldest.looks == 0 {
		l.first = l.place(1)
		l.n--
	}
	if l.n > 0 {
		if newest := &l.runs[l.place(l.n-1)]; newest.value == v {
			newest.looks += looks
			return
		}
	}
	l.runs[l.place(l.n)] = run{v, looks}
	l.n++
}

// place returns the index of run i, counted from the oldest.
func (l *lookback) place(i int) int {
	if i += l.first; i >= len(l.runs) {
		i -= len(l.runs)
	}
	return i
}
