package filter

import "golang.org/x/sys/unix"

// A field is a term in the form in which packets are read. Most terms of real
// filters are one load with a mask, at an offset or behind an IPv4 header; the
// rest are evaluated as trees.
type field struct {
	kind   fieldKind
	header uint32 // offset of the byte with the header's length, for the X kinds
	offset uint32
	mask   uint32
	tree   int32 // of fieldTree: its root
}

type fieldKind uint8

const (
	fieldWord fieldKind = iota
	fieldHalf
	fieldByte
	fieldWordX // relative to 4*([header]&0xf)
	fieldHalfX
	fieldByteX
	fieldLen
	fieldTree
)

// read returns the value of a field, and false if it has none. wire is the
// packet's length on the wire.
func (c *Classifier) read(f *field, data []byte, wire uint32) (v uint32, ok bool) {
	switch f.kind {
	case fieldWord:
		v, ok = word(data, uint64(f.offset))
	case fieldHalf:
		v, ok = half(data, uint64(f.offset))
	case fieldByte:
		v, ok = octet(data, uint64(f.offset))
	case fieldWordX, fieldHalfX, fieldByteX:
		x, has := headerLen(data, f.header)
		if !has {
			return 0, false
		}
		switch at := uint64(x) + uint64(f.offset); f.kind {
		case fieldWordX:
			v, ok = word(data, at)
		case fieldHalfX:
			v, ok = half(data, at)
		default:
			v, ok = octet(data, at)
		}
	case fieldLen:
		v, ok = wire, true
	default:
		return c.evaluate(f.tree, data, wire)
	}
	return v & f.mask, ok
}

// headerLen returns the length of the IPv4 header (RFC 791) that begins at an
// offset.
func headerLen(data []byte, at uint32) (uint32, bool) {
	b, ok := octet(data, uint64(at))
	return b & 0xf * 4, ok
}

// evaluate computes a term as the interpreter would.
func (c *Classifier) evaluate(tree int32, data []byte, wire uint32) (v uint32, ok bool) {
	t := &c.trees[tree]
	if t.op == termConst {
		return t.k, true
	}
	if t.op == termLen {
		return wire, true
	}
	a, ok := c.evaluate(int32(t.a), data, wire)
	if !ok {
		return 0, false
	}
	if t.op == termLoad {
		switch at := uint64(a) + uint64(t.k); t.size {
		case 4:
			return word(data, at)
		case 2:
			return half(data, at)
		default:
			return octet(data, at)
		}
	}
	b, ok := c.evaluate(int32(t.b), data, wire)
	if !ok {
		return 0, false
	}
	if t.op == termArith {
		return arith(uint32(t.arg), a, b)
	}
	if a > b {
		return 1, true
	}
	return 0, true
}

// field makes the form of a term in which c reads packets.
func (n *nodes) field(id termID, c *Classifier) field {
	f := field{mask: ^uint32(0)}
	t := n.list[id]
	if m, isConst := n.value(t.b); t.op == termArith && t.arg == unix.BPF_AND && isConst {
		f.mask = m
		t = n.list[t.a]
	}
	header, behind := n.headerAt(t.a)
	switch {
	case t.op == termLen:
		f.kind = fieldLen
	case t.op == termLoad && (t.a == zeroTerm || behind):
		f.kind = map[uint8]fieldKind{4: fieldWord, 2: fieldHalf, 1: fieldByte}[t.size]
		f.header, f.offset = header, t.k
		if behind {
			f.kind += fieldWordX - fieldWord
		}
	default:
		return field{kind: fieldTree, tree: n.tree(id, c), mask: ^uint32(0)}
	}
	return f
}

// headerAt tells whether a term is the length of an IPv4 header, and the offset
// where that begins.
func (n *nodes) headerAt(id termID) (at uint32, ok bool) {
	product := n.list[id]
	if four, isConst := n.value(product.b); product.op != termArith || product.arg != unix.BPF_MUL || !isConst || four != 4 {
		return 0, false
	}
	low := n.list[product.a]
	if mask, isConst := n.value(low.b); low.op != termArith || low.arg != unix.BPF_AND || !isConst || mask != 0xf {
		return 0, false
	}
	octet := n.list[low.a]
	return octet.k, octet.op == termLoad && octet.size == 1 && octet.a == zeroTerm
}

// tree copies a term to c and returns its place there.
func (n *nodes) tree(id termID, c *Classifier) int32 {
	t := n.list[id]
	if t.op == termLoad || t.op == termArith || t.op == termGreater {
		t.a = termID(n.tree(t.a, c))
		if t.op != termLoad {
			t.b = termID(n.tree(t.b, c))
		}
	}
	c.trees = append(c.trees, t)
	return int32(len(c.trees) - 1)
}
