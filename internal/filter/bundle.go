package filter

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// bundle joins the groups for which the same is left to be decided.
func (b *builder) bundle(filters []pending) []planned {
	slices.SortFunc(filters, func(x, y pending) int {
		return cmp.Or(cmp.Compare(x.node, y.node), cmp.Compare(x.group, y.group))
	})
	plans := make([]planned, 0, len(filters))
	for i := 0; i < len(filters); {
		j := i + 1
		for j < len(filters) && filters[j].node == filters[i].node {
			j++
		}
		if f := filters[i]; j == i+1 || f.node == accept {
			for _, g := range filters[i:j] {
				plans = append(plans, planned{bundle: uint32(g.group), node: g.node})
			}
		} else {
			plans = append(plans, b.together(filters[i:j])...)
		}
		i = j
	}
	return plans
}

// together returns the bundle of several groups, or while memory for more is
// short the groups by themselves.
func (b *builder) together(filters []pending) []planned {
	var key []byte
	members := 0
	for _, f := range filters {
		key = binary.BigEndian.AppendUint32(key, uint32(f.group))
		members += int(b.bundles[f.group].to - b.bundles[f.group].from)
	}
	id, known := b.leafwork.joined[string(key)]
	if !known && len(b.members)+members > 4*b.Classifier.count+1<<16 {
		plans := make([]planned, 0, len(filters))
		for _, f := range filters {
			plans = append(plans, planned{bundle: uint32(f.group), node: f.node})
		}
		return plans
	}
	if !known {
		id = uint32(len(b.bundles))
		b.leafwork.joined[string(key)] = id
		all := bundle{program: b.bundles[filters[0].group].program, from: uint32(len(b.members))}
		for _, f := range filters {
			g := b.bundles[f.group]
			b.members = append(b.members, b.members[g.from:g.to]...)
		}
		all.to = uint32(len(b.members))
		b.bundles = append(b.bundles, all)
	}
	return []planned{{bundle: id, node: filters[0].node}}
}
