package flib

// A FieldKind is the encoding of a field, in the host's byte order.
type FieldKind string

// Kinds of fields.
const (
	FieldUint32  FieldKind = "uint32"
	FieldInt32   FieldKind = "int32"
	FieldUint64  FieldKind = "uint64"
	FieldInt64   FieldKind = "int64"
	FieldFloat64 FieldKind = "float64"
	FieldTime    FieldKind = "time" // uint64 in 2^-32 s since 1970-01-01 UTC, 0: none
	FieldSpan    FieldKind = "span" // int64 in 2^-32 s
)

// A Field is a part of a result. Each follows the one before it without a gap.
type Field struct {
	Name string // as in JSON; empty: not shown
	Kind FieldKind
	Unit string // in the plural; empty: none, or that of the first function referred to
}
