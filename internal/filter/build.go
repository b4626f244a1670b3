package filter

import (
	"cmp"
	"slices"
)

// A builder makes a classifier.
type builder struct {
	*nodes
	*Classifier
	survey survey
	memo   memo
	made   map[termID]field  // of what is read
	asked  map[termID]uint32 // number of those that checks ask for
	lists  lists
	leafwork
}

// group makes a bundle of the members of each distinct program.
func (c *Classifier) group(programs []*Program) {
	index := make(map[string]uint32, len(programs))
	of := make([]uint32, 0, len(programs)) // bundle by member
	c.bundles = make([]bundle, 0, len(programs))
	for _, p := range programs {
		if p == nil {
			of = append(of, noBundle)
			continue
		}
		id, known := index[p.Key()]
		if !known {
			id = uint32(len(c.bundles))
			index[p.Key()] = id
			c.bundles = append(c.bundles, bundle{program: p})
		}
		c.bundles[id].to++
		of = append(of, id)
	}
	end := uint32(0)
	for i := range c.bundles {
		b := &c.bundles[i]
		b.from, end = end, end+b.to
		b.to = b.from
	}
	c.groups, c.members = of, make([]uint32, end)
	for m, id := range of {
		if id != noBundle {
			b := &c.bundles[id]
			c.members[b.to] = uint32(m)
			b.to++
		}
	}
}

const noBundle = ^uint32(0)

// byLength returns the bundles, short programs first: long ones shall not take
// what is there for all.
func (b *builder) byLength() []int {
	order := make([]int, len(b.bundles))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(b.bundles[x].program.Len(), b.bundles[y].program.Len())
	})
	return order
}

// readAll reads the distinct programs and returns those that could be read; the
// rest run singly.
func (b *builder) readAll() []pending {
	b.stats.Programs = len(b.bundles)
	r := newReader(b.nodes)
	filters := make([]pending, 0, len(b.bundles))
	size := 0
	for _, i := range b.byLength() {
		n, why := r.read(b.bundles[i].program)
		if size += b.survey.sizeOf(n); why == expressed && size > maxAllSizes {
			why = noBudget
		}
		if why != expressed {
			b.singles = append(b.singles, uint32(i))
			b.stats.count(why)
		} else if n != refuse {
			filters = append(filters, pending{int32(i), n})
		}
	}
	return filters
}

// finish completes the lists and gives back the room that lists have for
// growing.
func (c *Classifier) finish(all *lists) {
	c.finishLists(all)
	c.states = slices.Clip(slices.Clone(c.states))
	c.leaves = slices.Clip(slices.Clone(c.leaves))
	c.checks = slices.Clip(slices.Clone(c.checks))
	c.fields = slices.Clip(slices.Clone(c.fields))
	c.trees = slices.Clip(slices.Clone(c.trees))
	c.bundles = slices.Clip(slices.Clone(c.bundles))
	c.members = slices.Clip(slices.Clone(c.members))
	c.stats.Members, c.stats.Shapes, c.stats.States = c.count, len(c.leaves), len(c.states)
}
