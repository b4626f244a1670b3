package principal

import (
	"fmt"
	"os/user"
	"strconv"
)

// User returns the number of a user, given by name or number.
func User(name string) (uint32, error) {
	number := name
	if u, err := user.Lookup(name); err == nil {
		number = u.Uid
	}
	return parsed(number, "user "+name)
}

// Group returns the number of a group, given by name or number.
func Group(name string) (uint32, error) {
	number := name
	if g, err := user.LookupGroup(name); err == nil {
		number = g.Gid
	}
	return parsed(number, "group "+name)
}

func parsed(number, what string) (uint32, error) {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("there is no %s", what)
	}
	return uint32(n), nil
}

// GroupsOf returns the groups that the group database gives a user; none for a number without a
// user. It may wait for name services.
func GroupsOf(uid uint32) (groups []uint32) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil
	}
	ids, _ := u.GroupIds() // what was found counts
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(n))
		}
	}
	return groups
}
