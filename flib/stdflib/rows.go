package stdflib

import "gomapi/flib"

// A packet can end any number of periods, and each except the first gives a row of zeros.
// These limits bound the rows that are written at once, and the further ones for each
// packet. So neither an invalid time stamp nor a tiny interval stops the capture.
const (
	maxEmptyRows       = 64 << 10
	emptyRowsPerPacket = 64
)

func (w *rowWriter) Process(in []*flib.Packet) []*flib.Packet {
	w.passed.Add(uint64(len(in)))
	switch w.when {
	case eachPeriod:
		w.emptyRows = min(w.emptyRows+emptyRowsPerPacket*len(in), maxEmptyRows)
		for _, p := range in {
			if n, _ := w.period.ended(p.TS); n > 0 {
				w.endPeriods(n)
			}
		}
	case eachPacket:
		for range in {
			w.write()
		}
	}
	w.out.Flush()
	return in
}

// endPeriods writes the rows of n periods. All except the first had no packets.
func (w *rowWriter) endPeriods(n uint64) {
	if w.write() {
		w.writeEmpty(n - 1)
	} else {
		w.noValue.Add(n - 1)
	}
	if w.reset {
		w.row.reset()
	}
}

// write adds a row, or counts why it cannot. It reports whether the functions have
// values.
func (w *rowWriter) write() bool {
	text, ok := w.row.text()
	if !ok {
		w.noValue.Add(1)
		return false
	}
	if !w.out.Over(1) {
		w.out.Add(text, nil)
	}
	return true
}

// writeEmpty adds n rows of zeros, within the limits.
func (w *rowWriter) writeEmpty(n uint64) {
	if n > uint64(w.emptyRows) {
		w.tooMany.Add(n - uint64(w.emptyRows))
		n = uint64(w.emptyRows)
	}
	w.emptyRows -= int(n)
	if w.out.Over(int(n)) {
		return
	}
	for range n {
		w.out.Add(w.row.empty, nil)
	}
}
