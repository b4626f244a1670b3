package classify

import (
	"math"
	"math/bits"
	"slices"

	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
)

// A term is a value that a program computes, as a function of the packet: "the half word
// at 12", "4*([14]&0xf)". Equal terms of all programs have one number (hash consing), so
// that common terms are found by comparing numbers.
type term struct {
	op   termOp
	size uint8  // of a load, in bytes
	arg  uint8  // operator of termArith: BPF_ADD...
	k    uint32 // the constant, or the offset of a load
	a, b termID // operands; a load adds the value of a to its offset, or zeroTerm
}

type termID int32

type termOp uint8

const (
	termConst   termOp = iota
	termLen            // length on the wire
	termLoad           // size bytes at a+k
	termArith          // a arg b
	termGreater        // 1 if a > b, else 0
)

const zeroTerm termID = 0 // the constant 0: initial value of A, X and the scratch cells

// maxTerm limits the terms in a term, counted as a tree, because evaluation takes that
// many steps.
const maxTerm = 32

// termInfo is the information about a term that is known without a packet.
type termInfo struct {
	max     uint32   // the largest value
	size    int      // terms in it, as a tree
	loads   []extent // bytes that must be captured for it to have a value
	divides bool     // it has no value if a divisor is 0
}

// fallible reports whether the term may have no value, which refuses a packet.
func (i *termInfo) fallible() bool { return len(i.loads) > 0 || i.divides }

// An extent says that the bytes up to end, counted from the value of base, must be
// captured.
type extent struct {
	base termID
	end  uint64
}

// union returns the extents of both lists, the longest for each base.
func union(a, b []extent) []extent {
	if covers(a, b) {
		return a
	}
	out := slices.Clone(a)
	for _, e := range b {
		i := slices.IndexFunc(out, func(o extent) bool { return o.base == e.base })
		if i < 0 {
			out = append(out, e)
		} else {
			out[i].end = max(out[i].end, e.end)
		}
	}
	return out
}

// covers reports whether packets that have the extents of a have those of b.
func covers(a, b []extent) bool {
	for _, e := range b {
		if !slices.ContainsFunc(a, func(o extent) bool { return o.base == e.base && o.end >= e.end }) {
			return false
		}
	}
	return true
}

// terms numbers the terms.
type terms struct {
	list []term
	info []termInfo
	ids  map[term]termID
}

func newTerms() terms {
	t := terms{ids: make(map[term]termID)}
	t.Constant(0) // zeroTerm
	return t
}

// Constant, Length and Value implement bpf.Domain.

func (t *terms) Constant(k uint32) termID {
	return t.intern(term{op: termConst, k: k}, func() termInfo { return termInfo{max: k, size: 1} })
}

func (t *terms) Length() termID {
	return t.intern(term{op: termLen}, func() termInfo { return termInfo{max: math.MaxUint32, size: 1} })
}

// load returns the term of size bytes at base+k; ok is false if no packet is that long.
func (t *terms) load(size uint8, base termID, k uint32) (id termID, ok bool) {
	if c, isConst := t.Value(base); isConst {
		if c > math.MaxUint32-k {
			return 0, false
		}
		base, k = zeroTerm, k+c
	}
	return t.intern(term{op: termLoad, size: size, a: base, k: k}, func() termInfo {
		i := t.info[base]
		return termInfo{
			max:     uint32(1<<(8*uint(size)) - 1),
			size:    i.size + 1,
			loads:   union(i.loads, []extent{{base, uint64(k) + uint64(size)}}),
			divides: i.divides,
		}
	}), true
}

// greater returns the term that is 1 if a > b, else 0.
func (t *terms) greater(a, b termID) termID {
	va, constA := t.Value(a)
	vb, constB := t.Value(b)
	if constA && constB {
		if va > vb {
			return t.Constant(1)
		}
		return zeroTerm
	}
	return t.intern(term{op: termGreater, a: a, b: b}, func() termInfo { return t.both(a, b, 1) })
}

// Value returns the value of a constant.
func (t *terms) Value(id termID) (uint32, bool) {
	return t.list[id].k, t.list[id].op == termConst
}

func (t *terms) intern(key term, describe func() termInfo) termID {
	if id, known := t.ids[key]; known {
		return id
	}
	id := termID(len(t.list))
	info := describe()
	t.ids[key] = id
	t.list = append(t.list, key)
	t.info = append(t.info, info)
	return id
}

// both describes a term with two operands.
func (t *terms) both(a, b termID, limit uint32) termInfo {
	ia, ib := &t.info[a], &t.info[b]
	return termInfo{
		max:     limit,
		size:    ia.size + ib.size + 1,
		loads:   union(ia.loads, ib.loads),
		divides: ia.divides || ib.divides,
	}
}

// arith returns the term a op b; ok is false for a division by the constant 0.
func (t *terms) arith(op uint32, a, b termID) (id termID, ok bool) {
	va, constA := t.Value(a)
	vb, constB := t.Value(b)
	if constB && vb == 0 && (op == unix.BPF_DIV || op == unix.BPF_MOD) {
		return 0, false
	}
	if constA && (constB || op == unix.BPF_NEG) {
		v, _ := bpf.Arith(op, va, vb)
		return t.Constant(v), true
	}
	if constB {
		if op == unix.BPF_AND {
			return t.and(a, vb), true
		}
		if vb == 0 && isNeutralZero(op) {
			return a, true
		}
	}
	if op == unix.BPF_NEG {
		b = zeroTerm
	}
	return t.intern(term{op: termArith, arg: uint8(op), a: a, b: b}, func() termInfo {
		info := t.both(a, b, t.bound(op, a, b))
		info.divides = info.divides || !constB && (op == unix.BPF_DIV || op == unix.BPF_MOD)
		return info
	}), true
}

// and returns a & mask in one canonical form.
func (t *terms) and(a termID, mask uint32) termID {
	if inner := t.list[a]; inner.op == termArith && inner.arg == unix.BPF_AND {
		if m, isConst := t.Value(inner.b); isConst {
			a, mask = inner.a, mask&m
		}
	}
	switch mask &= ones(t.info[a].max); mask {
	case 0:
		return zeroTerm
	case ones(t.info[a].max):
		return a
	}
	m := t.Constant(mask)
	return t.intern(term{op: termArith, arg: unix.BPF_AND, a: a, b: m}, func() termInfo {
		return t.both(a, m, min(mask, t.info[a].max))
	})
}

func isNeutralZero(op uint32) bool {
	switch op {
	case unix.BPF_ADD, unix.BPF_SUB, unix.BPF_OR, unix.BPF_XOR, unix.BPF_LSH, unix.BPF_RSH:
		return true
	}
	return false
}

// bound returns an upper limit of a op b.
func (t *terms) bound(op uint32, a, b termID) uint32 {
	ma, mb := t.info[a].max, t.info[b].max
	k, isConst := t.Value(b)
	limit := uint64(math.MaxUint32)
	switch {
	case op == unix.BPF_ADD:
		limit = uint64(ma) + uint64(mb)
	case op == unix.BPF_MUL:
		limit = uint64(ma) * uint64(mb)
	case op == unix.BPF_AND:
		limit = uint64(min(ma, mb))
	case op == unix.BPF_OR || op == unix.BPF_XOR:
		limit = uint64(ones(ma | mb))
	case op == unix.BPF_RSH && isConst:
		limit = uint64(ma) >> k
	case op == unix.BPF_LSH && isConst && k < 32:
		limit = uint64(ma) << k
	case op == unix.BPF_DIV || op == unix.BPF_RSH || op == unix.BPF_MOD:
		limit = uint64(ma)
	}
	return uint32(min(limit, math.MaxUint32))
}

// ones returns the bits that can be set in values up to limit.
func ones(limit uint32) uint32 { return uint32(1<<bits.Len32(limit) - 1) }
