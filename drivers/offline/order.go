package offline

import (
	"encoding/binary"
	"math/bits"
)

// order is the byte order of a file or section: true if big-endian.
type order bool

func (o order) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if o {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (o order) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if o {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (o order) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if o {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// foreign reports whether o is not this machine's order.
func (o order) foreign() bool {
	return bool(o) != (binary.NativeEndian.Uint16([]byte{0, 1}) == 1)
}
