package engine

import (
	"cmp"
	"iter"
	"slices"
)

// An order holds flows by ascending number, in blocks. The cost of finding, adding or
// removing a flow does not depend on their number, apart from the search for the block.
type order struct {
	blocks []block
	n      int
}

// A block has 1 to blockSize entries.
type block struct {
	entries []entry
	sole    *Session // owner of all these flows; nil: possibly several owners
}

type entry struct {
	number int32
	flow   *Flow
}

const blockSize = 256

// place returns the block that has number or would have it, and the index in the block.
func (o *order) place(number int32) (i, j int, found bool) {
	i, found = slices.BinarySearchFunc(o.blocks, number, func(b block, n int32) int { return cmp.Compare(b.entries[0].number, n) })
	if found || len(o.blocks) == 0 {
		return i, 0, found
	}
	i = max(i-1, 0)
	j, found = slices.BinarySearchFunc(o.blocks[i].entries, number, func(e entry, n int32) int { return cmp.Compare(e.number, n) })
	return i, j, found
}

// get returns the flow with a number, or nil.
func (o *order) get(number int32) *Flow {
	if i, j, ok := o.place(number); ok {
		return o.blocks[i].entries[j].flow
	}
	return nil
}

// add adds a flow under a number that no other flow has.
func (o *order) add(number int32, f *Flow) {
	i, j, _ := o.place(number)
	switch {
	case len(o.blocks) == 0:
		o.blocks = append(o.blocks, block{sole: f.session})
	case j == blockSize: // behind a full block, as new flows are
		i, j = i+1, 0
		o.blocks = slices.Insert(o.blocks, i, block{sole: f.session})
	}
	b := &o.blocks[i]
	if b.sole != f.session {
		b.sole = nil
	}
	b.entries = slices.Insert(b.entries, j, entry{number, f})
	o.n++
	if len(b.entries) > blockSize {
		o.split(i)
	}
}

// split splits block i into two.
func (o *order) split(i int) {
	b := &o.blocks[i]
	half := slices.Clone(b.entries[blockSize/2:])
	b.entries = slices.Delete(b.entries, blockSize/2, len(b.entries))
	o.blocks = slices.Insert(o.blocks, i+1, block{half, b.sole})
}

// remove removes a flow.
func (o *order) remove(number int32) {
	i, j, ok := o.place(number)
	if !ok {
		return
	}
	o.n--
	b := &o.blocks[i]
	switch j {
	case 0: // the first, as when all are closed in order: no entry need move
		b.entries[0] = entry{}
		b.entries = b.entries[1:]
	default:
		b.entries = slices.Delete(b.entries, j, j+1)
	}
	if len(b.entries) == 0 {
		o.blocks = slices.Delete(o.blocks, i, i+1)
		return
	}
	o.join(i)
	o.join(i - 1)
}

// join joins block i and the next one if both are small.
func (o *order) join(i int) {
	if i < 0 || i+1 >= len(o.blocks) {
		return
	}
	b, next := &o.blocks[i], o.blocks[i+1]
	if len(b.entries)+len(next.entries) > blockSize/2 {
		return
	}
	b.entries = append(b.entries, next.entries...)
	if b.sole != next.sole {
		b.sole = nil
	}
	o.blocks = slices.Delete(o.blocks, i+1, i+2)
}

// all yields the flows. The order must not change meanwhile.
func (o *order) all() iter.Seq[*Flow] {
	return func(yield func(*Flow) bool) {
		for _, b := range o.blocks {
			for _, e := range b.entries {
				if !yield(e.flow) {
					return
				}
			}
		}
	}
}

// after returns up to n flows with numbers above number, without those of session but, and
// the number from which to go on. more is false at the end. It searches at most
// blocksAtOnce blocks, not counting those known to have only flows of but, so it may return
// fewer than n flows, even none, before the end.
func (o *order) after(number int32, n int, but *Session) (found []*Flow, _ int32, more bool) {
	i, j, ok := o.place(number)
	if ok {
		j++
	}
	if i < len(o.blocks) && j == len(o.blocks[i].entries) {
		i, j = i+1, 0
	}
	for looked := 0; i < len(o.blocks); i, j = i+1, 0 {
		b := &o.blocks[i]
		if but != nil && b.sole == but {
			continue
		}
		if looked++; looked > blocksAtOnce {
			return found, number, true
		}
		before := len(found)
		for _, e := range b.entries[j:] {
			if len(found) == n {
				return found, number, true
			}
			if number = e.number; e.flow.session != but {
				found = append(found, e.flow)
			}
		}
		if j == 0 && len(found) == before {
			b.sole = but // the other sessions have closed their flows
		}
	}
	return found, number, false
}

// blocksAtOnce limits how long others wait for Engine.mu while flows are searched.
const blocksAtOnce = 4
