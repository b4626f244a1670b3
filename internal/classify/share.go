package classify

import (
	"math"

	"gomapi/internal/fair"
)

// A resource is something of which the filters in all leaves together get a limited amount.
type resource uint8

const (
	ofBlocks resource = iota // in indexes
	ofIndexes
	ofEffort // nodes visited to find residuals
	ofChecks
	resources
)

// mostOf has the limits.
var mostOf = amounts{ofBlocks: maxAllBlocks, ofIndexes: maxIndexes, ofEffort: maxAllEffort, ofChecks: maxChecks}

// Amounts are so much of each resource.
type amounts [resources]int

// Shares divide the resources between users. A classifier is first made as if each could have
// everything. If that is not enough, it is made again with a level for each resource, from what the
// users wanted.
type shares struct {
	level amounts // the most that one user gets
	all   amounts // taken
	users []share
	short bool // somebody wanted more than there is
}

// A share is what one user has taken, and what the user wanted.
type share struct{ taken, wanted amounts }

// newShares divides the resources between a number of users, without a level.
func newShares(users int) *shares {
	s := &shares{users: make([]share, max(users, 1))}
	for r := range s.level {
		s.level[r] = math.MaxInt
	}
	return s
}

// leveled returns shares with the levels that follow from what the users of s wanted.
func (s *shares) leveled() *shares {
	next := newShares(len(s.users))
	wanted := make([]int, len(s.users))
	for r := range resources {
		for i := range s.users {
			wanted[i] = s.users[i].wanted[r]
		}
		next.level[r] = fair.Level(wanted, mostOf[r])
	}
	return next
}

// can reports whether a user can have more.
func (s *shares) can(user uint32, more amounts) bool {
	taken := &s.users[user].taken
	for r, n := range more {
		if s.all[r]+n > mostOf[r] || n > s.level[r]-taken[r] {
			return false
		}
	}
	return true
}

// take takes more for a user, if the user can have it.
func (s *shares) take(user uint32, more amounts) bool {
	can := s.can(user, more)
	for r, n := range more {
		s.users[user].wanted[r] += n
		if can {
			s.users[user].taken[r] += n
			s.all[r] += n
		}
	}
	s.short = s.short || !can
	return can
}
