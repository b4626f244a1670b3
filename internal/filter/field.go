package filter

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// A field is a term in the form in which packets are read. Most terms of real
// filters are one load with a mask, at an offset or behind an IPv4 header; the
// rest are evaluated as trees.
type field struct {
	kind   fieldKind
	size   uint8  // bytes
	shift  uint8  // of the word at offset, to have the size first bytes of it
	header uint32 // of fieldBehind: offset of the byte with the header's length
	offset uint32
	mask   uint32
	tree   int32 // of fieldTree: its root
}

type fieldKind uint8

const (
	fieldAt     fieldKind = iota
	fieldBehind           // relative to 4*([header]&0xf)
	fieldLen              // length on the wire
	fieldTree
)

// read returns the value of a field, and false if it has none. wire is the
// packet's length on the wire.
func (c *Classifier) read(f *field, data []byte, wire uint32) (v uint32, ok bool) {
	at := uint64(f.offset)
	if f.kind != fieldAt {
		if f.kind != fieldBehind {
			return c.derive(f, data, wire)
		}
		x, has := headerLen(data, f.header)
		if !has {
			return 0, false
		}
		at += uint64(x)
	}
	if at+4 <= uint64(len(data)) {
		return binary.BigEndian.Uint32(data[at:]) >> f.shift & f.mask, true
	}
	return f.readEnd(data, at)
}

// readEnd reads a field that may reach beyond the end of the packet.
func (f *field) readEnd(data []byte, at uint64) (v uint32, ok bool) {
	switch f.size {
	case 2:
		v, ok = half(data, at)
	case 1:
		v, ok = octet(data, at)
	}
	return v & f.mask, ok
}

func (c *Classifier) derive(f *field, data []byte, wire uint32) (v uint32, ok bool) {
	if f.kind == fieldLen {
		return wire & f.mask, true
	}
	return c.evaluate(f.tree, data, wire)
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

// field makes the form in which packets are read, the same for the same term.
func (b *builder) field(id termID) field {
	if f, made := b.made[id]; made {
		return f
	}
	f := b.simple(id)
	if f.kind == fieldTree {
		f.tree = b.tree(id)
	}
	b.made[id] = f
	return f
}

// numbered returns the number of a field that checks ask for.
func (b *builder) numbered(id termID) uint32 {
	n, known := b.asked[id]
	if !known {
		n = uint32(len(b.fields))
		b.asked[id], b.fields = n, append(b.fields, b.field(id))
	}
	return n
}

// simple returns the field of a term that is one load, and otherwise one that
// lacks its tree.
func (n *nodes) simple(id termID) field {
	t, mask := n.list[id], ^uint32(0)
	if m, isConst := n.value(t.b); t.op == termArith && t.arg == unix.BPF_AND && isConst {
		t, mask = n.list[t.a], m
	}
	header, behind := n.headerAt(t.a)
	switch {
	case t.op == termLen:
		return field{kind: fieldLen, mask: mask}
	case t.op == termLoad && t.a == zeroTerm:
		return field{kind: fieldAt, size: t.size, shift: 32 - 8*t.size, offset: t.k, mask: mask}
	case t.op == termLoad && behind:
		return field{kind: fieldBehind, size: t.size, shift: 32 - 8*t.size, header: header, offset: t.k, mask: mask}
	}
	return field{kind: fieldTree}
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

// tree copies a term to the classifier and returns its place there.
func (b *builder) tree(id termID) int32 {
	t := b.list[id]
	if t.op == termLoad || t.op == termArith || t.op == termGreater {
		t.a = termID(b.tree(t.a))
		if t.op != termLoad {
			t.b = termID(b.tree(t.b))
		}
	}
	b.trees = append(b.trees, t)
	return int32(len(b.trees) - 1)
}
