package classify

import "gomapi/internal/fair"

// owners say whose the members are. The zero value: all are one user's.
type owners struct {
	n  int        // users, which have the numbers below it
	of [][]uint32 // by member: its users, at least one
}

// newOwners numbers the users of the members.
func newOwners(users [][]uint32) owners {
	numbers := make(map[uint32]uint32)
	o := owners{of: make([][]uint32, len(users))}
	for m, list := range users {
		for _, user := range list {
			n, known := numbers[user]
			if !known {
				n = uint32(len(numbers))
				numbers[user] = n
			}
			o.of[m] = append(o.of[m], n)
		}
	}
	if o.n = len(numbers); o.n <= 1 {
		return owners{}
	}
	return o
}

// each calls yield for the users of members until it returns false; some may come again.
func (o *owners) each(members []uint32, yield func(user uint32) bool) {
	if o.of == nil {
		yield(0)
		return
	}
	for _, m := range members {
		for _, user := range o.of[m] {
			if !yield(user) {
				return
			}
		}
	}
}

// claims returns what each user wants of groups, in their order.
func (o *owners) claims(s *groupSet, order []int) []*fair.Claim {
	claims := make([]*fair.Claim, max(o.n, 1))
	for i := range claims {
		claims[i] = &fair.Claim{}
	}
	for _, i := range order {
		g := s.groups[i]
		o.each(s.members[g.from:g.to], func(user uint32) bool {
			c := claims[user]
			if n := len(c.Items); n == 0 || c.Items[n-1] != i {
				c.Items = append(c.Items, i)
			}
			return true
		})
	}
	return claims
}
