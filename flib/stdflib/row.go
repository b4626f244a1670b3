package stdflib

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// A columnType says how RES2FILE writes a result, with the original's numbers.
type columnType int

const (
	columnRaw   columnType = iota // R2F_RAW
	columnCount                   // R2F_ULLSTR
	columnTime                    // R2F_ULLSEC
	columnStats                   // R2F_STATS
)

// Maximum bytes of a column, including blanks, and of a row.
const (
	maxCount   = 21
	maxTime    = 24
	maxDecimal = 320 // a float64 with 6 decimals
	maxStats   = maxCount + 1 + 4*maxDecimal
	maxRow     = 64 << 10
)

// A row holds the results that RES2FILE writes, and the memory for their text.
type row struct {
	columns []column
	empty   []byte // row of a period without packets
	buf     []byte
}

type column struct {
	kind columnType
	ref  *flib.Ref
	raw  []byte // copy of the result if it is longer than one word
}

// newRow finds the functions and checks that they can be written as types says.
func newRow(env flib.Env, types string, targets []flib.Target) (r row, err error) {
	kinds, err := parseColumnTypes(types)
	if err != nil {
		return r, err
	}
	if len(kinds) < len(targets) {
		return r, mapierr.New(mapierr.InvalidArgument1,
			"RES2FILE: argument 1 (types) has %d entries for %d functions: use one entry for each function", len(kinds), len(targets))
	}
	size := 1
	for i, t := range targets {
		ref, err := env.Refer(t.FD, t.FID)
		if err != nil {
			return r, mapierr.New(mapierr.InvalidArgument2, "RES2FILE: argument 2 (functions): %v; first apply the function that it reads", err)
		}
		c := column{kind: kinds[i], ref: ref}
		if size += c.maxSize(); size > maxRow {
			return r, mapierr.New(mapierr.InvalidArgument2,
				"RES2FILE: argument 2 (functions): function %d of flow %d makes the row longer than %d bytes: write fewer functions, or use two files", t.FID, t.FD, maxRow)
		}
		if c.kind == columnStats && (ref.Name != stats.Name || ref.Size() != result.StatsSize) {
			return r, mapierr.New(mapierr.InvalidArgument1,
				"RES2FILE: argument 1 (types): entry %d is 3 (R2F_STATS), but function %d of flow %d is %s: use 0, 1 or 2",
				i+1, t.FID, t.FD, ref.Name)
		}
		if c.kind == columnRaw || c.kind == columnStats {
			c.raw = make([]byte, ref.Size())
		}
		r.columns = append(r.columns, c)
	}
	r.empty = []byte(strings.Repeat("0 ", len(targets)) + "\n")
	r.buf = make([]byte, 0, size)
	return r, nil
}

// parseColumnTypes parses "1,1,2". Blanks may follow a comma.
func parseColumnTypes(text string) ([]columnType, error) {
	var kinds []columnType
	for entry := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimLeft(entry, " "))
		if err != nil || n < int(columnRaw) || n > int(columnStats) {
			return nil, mapierr.New(mapierr.InvalidArgument1,
				"RES2FILE: argument 1 (types): %.40q is not a type: use numbers from 0 to 3, separated by commas", entry)
		}
		kinds = append(kinds, columnType(n))
	}
	return kinds, nil
}

func (c *column) maxSize() int {
	switch c.kind {
	case columnCount:
		return maxCount
	case columnTime:
		return maxTime
	case columnStats:
		return maxStats
	}
	return 8 + c.ref.Size()
}

// refs returns the functions of the row.
func (r *row) refs() []*flib.Ref {
	var refs []*flib.Ref
	for _, c := range r.columns {
		refs = append(refs, c.ref)
	}
	return refs
}

// reset resets those functions that can be reset.
func (r *row) reset() {
	for i := range r.columns {
		r.columns[i].ref.Reset()
	}
}

// text returns the current row, valid until the next call. It reports false if one of the
// functions has no value.
func (r *row) text() ([]byte, bool) {
	b := r.buf
	for i := range r.columns {
		var ok bool
		if b, ok = r.columns[i].append(b); !ok {
			return nil, false
		}
	}
	return append(b, '\n'), true
}

// append adds the text of the column to b.
func (c *column) append(b []byte) ([]byte, bool) {
	switch c.kind {
	case columnCount:
		v, ok := c.ref.Value()
		return append(strconv.AppendUint(b, v, 10), ' '), ok
	case columnTime:
		v, ok := c.ref.Value()
		return append(appendSeconds(b, v), ' '), ok
	case columnStats:
		ok := c.ref.Copy(c.raw)
		return appendStats(b, c.raw), ok
	}
	ok := c.ref.Copy(c.raw)
	b = binary.NativeEndian.AppendUint64(b, uint64(len(c.raw)))
	return append(b, c.raw...), ok
}

// appendSeconds adds a time of 2^-32 s in seconds with 12 decimals, rounded to nearest.
func appendSeconds(b []byte, ts uint64) []byte {
	const decimals = 12
	hi, lo := bits.Mul64(ts&math.MaxUint32, 1e12)
	lo, carry := bits.Add64(lo, 1<<31, 0)
	fraction := (hi+carry)<<32 | lo>>32 // below 1e12: 32 bits do not have enough ones to round up so far
	b = append(strconv.AppendUint(b, ts>>32, 10), '.')
	at := len(b)
	b = append(b, "000000000000"...)
	for i := at + decimals - 1; fraction > 0; i-- {
		b[i] = byte('0' + fraction%10)
		fraction /= 10
	}
	return b
}

// appendStats adds the result of STATS.
func appendStats(b, raw []byte) []byte {
	s, _ := result.ParseStats(raw) // it has the right size
	b = append(strconv.AppendUint(b, s.Count, 10), "  "...)
	b = append(appendDecimal(b, s.Sum.High, s.Sum.Low), ' ')
	b = append(appendDecimal(b, s.Sum2.High, s.Sum2.Low), ' ')
	b = append(appendDecimal(b, s.Min, 0), ' ')
	return append(appendDecimal(b, s.Max, 0), ' ')
}

// appendDecimal adds high + low with 6 decimals, like %f in C. Integers within 63 bits,
// the common case, are exact and fast.
func appendDecimal(b []byte, high, low float64) []byte {
	if math.Abs(high) < 1<<62 && math.Abs(low) < 1<<62 && high == math.Trunc(high) && low == math.Trunc(low) {
		return append(strconv.AppendInt(b, int64(high)+int64(low), 10), ".000000"...)
	}
	return strconv.AppendFloat(b, high+low, 'f', 6, 64)
}
