package account

// A Limit is how much of a kind one user and all users may have.
type Limit struct{ User, All int64 }

// Own are limits that replace Limit.User for one user. The map does not change.
type Own map[Kind]OwnLimit

// An OwnLimit is one of them.
type OwnLimit struct {
	Amount int64
	Key    string // where mapi.conf has it, for people
}

// Limits are those of all kinds.
type Limits [kinds]Limit

// Limits of kinds that do not depend on the machine.
const (
	allConnections = 4096
	allOffline     = 1024
	allWritten     = 512
	// allBuffers is bound by the mappings that a process can have: 65,530, of which a packet
	// buffer takes two (vm.max_map_count, proc(5)).
	allBuffers = 16384
)

// Default returns the limits for a daemon that may use so many bytes of memory and descriptors.
func Default(memory, descriptors int64) Limits {
	l := Limits{
		Memory:       {All: memory},
		Descriptors:  {All: descriptors},
		Connections:  {All: allConnections},
		Buffers:      {All: min(allBuffers, descriptors)},
		OfflineFiles: {All: min(allOffline, descriptors)},
		WrittenFiles: {All: allWritten},
	}
	for k := range l {
		l[k].User = ForUser(Kind(k), l[k].All)
	}
	return l
}

// ForUser returns what one user may have by default, if all may have so much: half of the memory
// and of the descriptors, and a quarter of the rest.
func ForUser(k Kind, all int64) int64 {
	if k == Memory || k == Descriptors {
		return max(all/2, 1)
	}
	return max(all/4, 1)
}

// A bound is why there is no more.
type bound int

const (
	none     bound = iota
	ofUser         // the limit of the user
	ofAll          // the limit of all
	reserved       // what is left is kept for root and for users who have little
	portion        // the user has more than an equal part
)

// The parts of a limit of all that are kept free: one for root, one more for users who have no
// more than a small part.
const (
	rootPart  = 32
	newPart   = 16
	smallPart = 64
)

// ofUser returns why a user may not have own.
func (l Limit) ofUser(root bool, own int64) bound {
	switch {
	case own > l.All || own < 0:
		return ofAll
	case own > l.User && !root:
		return ofUser
	}
	return none
}

// ofAll returns why a user who would have own may not have it, when all together would have
// all. users is their number.
func (l Limit) ofAll(root bool, own, all, users int64) bound {
	free := l.All - l.All/rootPart
	switch {
	case all > l.All:
		return ofAll
	case root:
		return none
	case all > free:
		return reserved
	case own <= max(l.All/smallPart, 1):
		return none
	case all > free-l.All/newPart:
		return reserved
	case all > l.All-l.All/4 && own > l.All/max(users, 1):
		return portion
	}
	return none
}
