// Package books accounts for packets: each stage of their way counts the
// packets that arrive and, separately, the packets that leave in each possible
// way. Lost and waiting packets are counted where the loss or wait happens.
// They are never computed as a difference, so balanced books prove something:
// for a device, that no packet was lost between kernel and flows; for a flow,
// that none was lost between the device, or the leading filter, and the
// functions, or between functions; for a function that stores packets, that it
// has stored all of them. The exception is refused: these are the packets that
// a function did not return, for whatever reason.
//
// names.go is the glossary: all names of lines, with their meanings.
// docs/accounting.md contains the same glossary; a test compares them.
package books

// A Line is one counter. It counts packets unless its name says otherwise.
type Line struct {
	Name  string
	Value uint64
}

// A Stage is a place that packets reach and leave in one of several ways: a
// device, a flow, or a function.
type Stage struct {
	In  uint64 // packets that arrived
	Out []Line // where they went: each packet is in exactly one line
	// Notes are further counters, some of them parts of the lines above.
	Notes []Line
	// Moved is the maximum number of packets that were in transit while the
	// books were read, so that one side may include them and the other not. It
	// is 0 if no packet moved.
	Moved uint64
	// Opening is the number of the opening of the device that the stage belongs
	// to: a reopened device starts new books, which do not include earlier
	// flows. 0: unknown.
	Opening uint64
}

// Missing is In minus the sum of Out; it may be negative.
func (s *Stage) Missing() int64 {
	left := s.In
	for _, l := range s.Out {
		left -= l.Value
	}
	return int64(left)
}

// Balances reports whether every packet that arrived is in exactly one of the
// lines, except for packets in transit.
func (s *Stage) Balances() bool {
	missing := s.Missing()
	if missing < 0 {
		missing = -missing
	}
	return uint64(missing) <= s.Moved
}

// Lost returns the sum of the lines that are losses.
func (s *Stage) Lost() (n uint64) {
	for _, l := range s.Out {
		if loss(l.Name) {
			n += l.Value
		}
	}
	return n
}
