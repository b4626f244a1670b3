package result

import (
	"encoding/binary"
	"time"
)

// Layout of Records: a head, then each record with a head of its own.
const (
	recordsCount = 0  // uint64
	recordsLost  = 8  // uint64
	recordsHead  = 16 // bytes

	recordTS   = 0  // uint64
	recordKind = 8  // uint16
	recordLen  = 12 // uint32: bytes of data
	recordHead = 16 // bytes; the data follows, filled up with zeros to a multiple of 8
)

// Records are the records of a function that were there when ReadResults was called.
type Records struct {
	Lost uint64 // records that the program has not got and never gets, so far
	List []Record
}

// A Record is data that a function made. Its layout depends on the kind, which the function
// defines.
type Record struct {
	TS   uint64 // packet time, 2^-32 s since 1970-01-01 UTC
	Kind uint16
	Data []byte
}

// Time is TS as a time.Time in UTC.
func (r Record) Time() time.Time { return packetTime(r.TS) }

// Append appends the encoded records, in the format of ReadResults, to b.
func (t Records) Append(b []byte) []byte {
	b = binary.NativeEndian.AppendUint64(b, uint64(len(t.List)))
	b = binary.NativeEndian.AppendUint64(b, t.Lost)
	for _, r := range t.List {
		b = binary.NativeEndian.AppendUint64(b, r.TS)
		b = binary.NativeEndian.AppendUint16(b, r.Kind)
		b = append(b, 0, 0)
		b = binary.NativeEndian.AppendUint32(b, uint32(len(r.Data)))
		b = append(b, r.Data...)
		b = append(b, make([]byte, -len(r.Data)&7)...)
	}
	return b
}

// ParseRecords decodes records. Their data is part of b. It returns false if b is too short.
func ParseRecords(b []byte) (t Records, ok bool) {
	if len(b) < recordsHead {
		return t, false
	}
	t.Lost = binary.NativeEndian.Uint64(b[recordsLost:])
	count := binary.NativeEndian.Uint64(b[recordsCount:])
	for b = b[recordsHead:]; count > 0; count-- {
		if len(b) < recordHead {
			return Records{}, false
		}
		size := uint64(binary.NativeEndian.Uint32(b[recordLen:]))
		padded := (size + 7) &^ 7
		if padded > uint64(len(b)-recordHead) {
			return Records{}, false
		}
		data := b[recordHead : recordHead+size : recordHead+size]
		t.List = append(t.List, Record{
			TS:   binary.NativeEndian.Uint64(b[recordTS:]),
			Kind: binary.NativeEndian.Uint16(b[recordKind:]),
			Data: data,
		})
		b = b[recordHead+padded:]
	}
	return t, true
}
