package classify

// A check decides what is left of a filter when an access predicate holds, in a leaf:
// its residual. It is cheaper than the program, which would begin with the first
// header.
type check struct {
	field   uint32 // number in fieldSet.fields
	lo      uint32
	width   uint32 // of the interval from lo on, less one
	yes, no uint32 // checkRefuse, checkAccept, or the next check
}

const (
	checkRefuse uint32 = iota
	checkAccept
	firstCheck
	noCheck uint32 = checkRefuse // of a posting: no check is that
)

// An entry says what to do with filters whose access predicate holds: the number of a
// group and what is still to be found out.
type entry uint32

const (
	verify     entry = 1 << iota // the check or the program decides
	exclude                      // of filters that match unless an entry says otherwise
	large                        // the group has more than a few members
	entryShift = iota
)

// fewMembers is up to how many members of a group a posting list repeats.
const fewMembers = 4

// newEntry returns the entry that names a group.
func newEntry(id uint32, g group) entry {
	e := entry(id) << entryShift
	if g.to-g.from > fewMembers {
		e |= large
	}
	return e
}

func (e entry) group() uint32 { return uint32(e >> entryShift) }

// A posting is what a posting list has of a filter: an entry with what decides it.
type posting struct {
	entry entry
	check uint32 // with verify: the check that decides; noCheck: the program
}
