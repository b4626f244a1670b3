package result

import (
	"encoding/binary"
	"math"
)

// BinopSize is the size of a Binop: one uint64.
const BinopSize = 8

// Binop is the result of BINOP: the sum or difference of two results modulo
// 2^64, in their unit.
type Binop uint64

// BinopNoValue means no result: a flow that BINOP reads is closed or not
// connected. As in the original, a real result may have the same value.
const BinopNoValue Binop = math.MaxUint64

// ParseBinop decodes a Binop. It returns false if b is too short.
func ParseBinop(b []byte) (Binop, bool) {
	if len(b) < BinopSize {
		return 0, false
	}
	return Binop(binary.NativeEndian.Uint64(b)), true
}
