package classify

import (
	"cmp"
	"encoding/binary"
	"slices"

	"gomapi/internal/bpf"
)

// A group is a set of members that the same program decides: members with equal programs,
// or members with the same residual decision in a leaf.
type group struct {
	program  *bpf.Program
	from, to uint32 // in members
}

const noGroup = ^uint32(0)

// A groupSet contains the groups of a classifier: first those of equal programs, then
// those joined by leaves.
type groupSet struct {
	groups  []group
	members []uint32
	groupOf []uint32 // by member: its group of equal programs
}

// newGroupSet makes a group of the members of each distinct program.
func newGroupSet(programs []*bpf.Program) groupSet {
	index := make(map[string]uint32, len(programs))
	of := make([]uint32, 0, len(programs))
	groups := make([]group, 0, len(programs))
	for _, p := range programs {
		if p == nil {
			of = append(of, noGroup)
			continue
		}
		id, known := index[p.Key()]
		if !known {
			id = uint32(len(groups))
			index[p.Key()] = id
			groups = append(groups, group{program: p})
		}
		groups[id].to++
		of = append(of, id)
	}
	end := uint32(0)
	for i := range groups {
		g := &groups[i]
		g.from, end = end, end+g.to
		g.to = g.from
	}
	members := make([]uint32, end)
	for m, id := range of {
		if id != noGroup {
			g := &groups[id]
			members[g.to] = uint32(m)
			g.to++
		}
	}
	return groupSet{groups, members, of}
}

// byLength returns the groups, short programs first, so that long programs do not use up
// the limits for all.
func (s *groupSet) byLength() []int {
	order := make([]int, len(s.groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(s.groups[x].program.Len(), s.groups[y].program.Len())
	})
	return order
}

// A joiner joins groups with the same remaining decision in a leaf.
type joiner struct {
	groupSet
	joined map[string]uint32 // groups made by joining others, by the numbers of these
}

// join sorts filters and replaces those with the same node by one.
func (j *joiner) join(filters []filter) []filter {
	slices.SortFunc(filters, func(x, y filter) int {
		return cmp.Or(cmp.Compare(x.node, y.node), cmp.Compare(x.group, y.group))
	})
	joined := make([]filter, 0, len(filters))
	for len(filters) > 0 {
		node, n := filters[0].node, 1
		for n < len(filters) && filters[n].node == node {
			n++
		}
		if id, ok := j.together(filters[:n]); ok {
			joined = append(joined, filter{id, node})
		} else {
			joined = append(joined, filters[:n]...)
		}
		filters = filters[n:]
	}
	return joined
}

// together returns the group that joins the groups of filters with the same node. ok is
// false if they must not be joined, also if memory for more groups is short.
func (j *joiner) together(filters []filter) (id uint32, ok bool) {
	if len(filters) == 1 || filters[0].node == accept {
		return 0, false
	}
	var key []byte
	members := 0
	for _, f := range filters {
		key = binary.BigEndian.AppendUint32(key, f.group)
		members += int(j.groups[f.group].to - j.groups[f.group].from)
	}
	if id, ok = j.joined[string(key)]; ok {
		return id, true
	}
	if len(j.members)+members > 4*len(j.groupOf)+1<<16 {
		return 0, false
	}
	id = uint32(len(j.groups))
	j.joined[string(key)] = id
	all := group{program: j.groups[filters[0].group].program, from: uint32(len(j.members))}
	for _, f := range filters {
		g := j.groups[f.group]
		j.members = append(j.members, j.members[g.from:g.to]...)
	}
	all.to = uint32(len(j.members))
	j.groups = append(j.groups, all)
	return id, true
}
