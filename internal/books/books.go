// Package books is how packets are accounted for: at each stage of their way
// what arrived is written down, and, by another hand, each way that it can go.
// What is lost or waits is counted where that happens and never computed as what
// is missing, so books that balance say something: those of a device that no
// packet got lost between kernel and flows; those of a flow that none did from the
// device, or the leading filter, to the functions and from one to the next; those
// of a function that puts packets somewhere that it has put all of them. The
// exception is refused: it is what a function did not return, whatever its reason.
//
// names.go is the glossary: every name that a line can have, with its meaning.
// docs/accounting.md is the same for people; a test compares them.
package books

// A Line is one counter. It counts packets unless its name has another unit.
type Line struct {
	Name  string
	Value uint64
}

// A Stage is a place that packets reach and leave in one of several ways: a
// device, a flow, a function.
type Stage struct {
	In  uint64 // packets that arrived
	Out []Line // where they went: each is in one of these
	// Notes are further counters, among them parts of the lines above.
	Notes []Line
	// Moved is how many packets at most were on the move while the books were
	// read, so that one side may have them and the other not. It is 0 when the
	// stage was at rest.
	Moved uint64
	// Opening is the number of the opening of the device to which the stage
	// belongs: a device that is opened anew begins new books, and flows of before
	// are none of its own. 0: not known.
	Opening uint64
}

// Missing is what the ways add up to less than arrived; below 0: more.
func (s *Stage) Missing() int64 {
	left := s.In
	for _, l := range s.Out {
		left -= l.Value
	}
	return int64(left)
}

// Balances reports whether every packet that arrived is in exactly one of the
// lines, up to those on the move.
func (s *Stage) Balances() bool {
	missing := s.Missing()
	if missing < 0 {
		missing = -missing
	}
	return uint64(missing) <= s.Moved
}

// Lost adds up the lines that tell of losses.
func (s *Stage) Lost() (n uint64) {
	for _, l := range s.Out {
		if loss(l.Name) {
			n += l.Value
		}
	}
	return n
}
