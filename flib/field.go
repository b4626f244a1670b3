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
	FieldTime    FieldKind = "time"   // uint64 in 2^-32 s since 1970-01-01 UTC, 0: none
	FieldMoment  FieldKind = "moment" // the same, but 0 is a time too
	FieldSpan    FieldKind = "span"   // int64 in 2^-32 s
	FieldRows    FieldKind = "rows"   // a list, see Field.Rows
	FieldIndex   FieldKind = "index"  // in a row: its number, from 0. It takes no bytes. Rows of zeros are not shown
)

// TargetUnit is the unit of the first word of the first function referred to.
const TargetUnit = "@target"

// A Field is a part of a result. Each follows the one before it without a gap.
type Field struct {
	Name string // as in JSON; empty: not shown
	Kind FieldKind
	Unit string // in the plural, or TargetUnit; empty: none
	// When has the arguments with which the field is there, such as "type=2,66 boundary=0";
	// empty: always. Of several fields with one name, the first of these is there.
	When     string
	Optional bool             // a value with all bits set is none
	Hidden   bool             // shown by Def.Text only
	Words    map[int64]string // shown in place of the values, which are all that are valid
	// Rows are the fields of each row of a list. The list takes the room that the fields behind
	// it leave. Rows with one field are shown as plain values.
	Rows []Field
}
