package classify

// A check decides the residual of a filter: what an access predicate that holds leaves to
// be decided in a leaf. It costs less than the program, which would start with the first
// header.
type check struct {
	field   uint32 // number in fieldSet.fields
	lo      uint32
	width   uint32 // width of the interval from lo on, minus one
	yes, no uint32 // checkRefuse, checkAccept, or the next check
}

const (
	checkRefuse uint32 = iota
	checkAccept
	firstCheck
	noCheck uint32 = checkRefuse // in a posting: it has no check
)

// An entry is the number of a group whose access predicate holds, and says what is still
// to be decided.
type entry uint32

const (
	verify     entry = 1 << iota // the check or the program decides
	exclude                      // the filters match unless an entry says otherwise
	large                        // the group has more than a few members
	entryShift = iota
)

// fewMembers is the number of members of a group up to which a posting list repeats them.
const fewMembers = 4

// newEntry returns the entry for a group.
func newEntry(id uint32, g group) entry {
	e := entry(id) << entryShift
	if g.to-g.from > fewMembers {
		e |= large
	}
	return e
}

func (e entry) group() uint32 { return uint32(e >> entryShift) }

// A posting is an entry, and the check that decides it.
type posting struct {
	entry entry
	check uint32 // with verify: the check that decides, or noCheck for the program
}
