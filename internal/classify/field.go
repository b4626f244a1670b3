package classify

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
)

// A field is a term in the form in which it is read from packets. Most terms of real
// filters are one load with a mask, at an offset or behind an IPv4 header. The others are
// evaluated as trees.
type field struct {
	kind   fieldKind
	size   uint8  // bytes
	shift  uint8  // shift of the word at offset that leaves its first size bytes
	header uint32 // fieldBehind: offset of the byte with the header's length
	offset uint32
	mask   uint32
	tree   int32 // fieldTree: its root
}

type fieldKind uint8

const (
	fieldAt     fieldKind = iota
	fieldBehind           // relative to 4*([header]&0xf)
	fieldLen              // length on the wire
	fieldTree
)

// A fieldSet contains the fields that a classifier reads.
type fieldSet struct {
	fields []field // that checks read, by number
	trees  []term  // of fields that are trees; operands are indexes into trees
}

// read returns the value of a field, and false if it has none. wire is the packet's
// length on the wire.
func (s *fieldSet) read(f *field, data []byte, wire uint32) (v uint32, ok bool) {
	at := uint64(f.offset)
	if f.kind != fieldAt {
		if f.kind != fieldBehind {
			return s.derive(f, data, wire)
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

// readEnd reads a field that may extend beyond the end of the packet. This is rare, and
// not inlined so that read stays small.
//
//go:noinline
func (f *field) readEnd(data []byte, at uint64) (v uint32, ok bool) {
	v, ok = load(data, at, f.size)
	return v & f.mask, ok
}

func (s *fieldSet) derive(f *field, data []byte, wire uint32) (v uint32, ok bool) {
	if f.kind == fieldLen {
		return wire & f.mask, true
	}
	return s.evaluate(f.tree, data, wire)
}

// headerLen returns the length of the IPv4 header (RFC 791) at an offset.
func headerLen(data []byte, at uint32) (uint32, bool) {
	if uint64(at) >= uint64(len(data)) {
		return 0, false
	}
	return uint32(data[at]&0xf) * 4, true
}

// load returns size bytes from an offset on, and false if not all of them exist.
func load(data []byte, at uint64, size uint8) (v uint32, ok bool) {
	end := at + uint64(size)
	if end > uint64(len(data)) {
		return 0, false
	}
	for _, b := range data[at:end] {
		v = v<<8 | uint32(b)
	}
	return v, true
}

// evaluate computes a term in the same way as the interpreter.
func (s *fieldSet) evaluate(tree int32, data []byte, wire uint32) (v uint32, ok bool) {
	t := &s.trees[tree]
	if t.op == termConst {
		return t.k, true
	}
	if t.op == termLen {
		return wire, true
	}
	a, ok := s.evaluate(int32(t.a), data, wire)
	if !ok {
		return 0, false
	}
	if t.op == termLoad {
		return load(data, uint64(a)+uint64(t.k), t.size)
	}
	b, ok := s.evaluate(int32(t.b), data, wire)
	if !ok {
		return 0, false
	}
	if t.op == termArith {
		return bpf.Arith(uint32(t.arg), a, b)
	}
	if a > b {
		return 1, true
	}
	return 0, true
}

// A fieldBuilder converts terms to fields.
type fieldBuilder struct {
	*diagram
	fieldSet
	made  map[termID]field
	asked map[termID]uint32 // numbers of the fields that checks read
}

func newFieldBuilder(d *diagram) fieldBuilder {
	return fieldBuilder{diagram: d, made: make(map[termID]field), asked: make(map[termID]uint32)}
}

// field returns the field of a term; equal terms have equal fields.
func (b *fieldBuilder) field(id termID) field {
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

// numbered returns the number of a field that checks read.
func (b *fieldBuilder) numbered(id termID) uint32 {
	n, known := b.asked[id]
	if !known {
		n = uint32(len(b.fields))
		b.asked[id], b.fields = n, append(b.fields, b.field(id))
	}
	return n
}

// simple returns the field of a term that is one load. For other terms it returns a field
// whose tree is still missing.
func (d *diagram) simple(id termID) field {
	t, mask := d.list[id], ^uint32(0)
	if m, isConst := d.Value(t.b); t.op == termArith && t.arg == unix.BPF_AND && isConst {
		t, mask = d.list[t.a], m
	}
	header, behind := d.headerAt(t.a)
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

// headerAt reports whether a term is the length of an IPv4 header, and returns the
// header's offset.
func (d *diagram) headerAt(id termID) (at uint32, ok bool) {
	product := d.list[id]
	if four, isConst := d.Value(product.b); product.op != termArith || product.arg != unix.BPF_MUL || !isConst || four != 4 {
		return 0, false
	}
	low := d.list[product.a]
	if mask, isConst := d.Value(low.b); low.op != termArith || low.arg != unix.BPF_AND || !isConst || mask != 0xf {
		return 0, false
	}
	octet := d.list[low.a]
	return octet.k, octet.op == termLoad && octet.size == 1 && octet.a == zeroTerm
}

// tree copies a term to the classifier and returns its index there.
func (b *fieldBuilder) tree(id termID) int32 {
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
