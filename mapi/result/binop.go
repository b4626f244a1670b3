package result

import (
	"encoding/binary"
	"math"
)

// BinopSize is the size of a Binop: one uint64.
const BinopSize = 8

// Binop is the result of BINOP: the sum or difference of two results modulo 2^64,
// in their unit.
type Binop uint64

// BinopNoValue stands for no result: a flow that BINOP reads is closed or not
// connected. As in the original, a real result may be the same number.
const BinopNoValue Binop = math.MaxUint64

// ParseBinop decodes a Binop. It reports false when b is too short.
func ParseBinop(b []byte) (Binop, bool) {
	if len(b) < BinopSize {
		return 0, false
	}
	return Binop(binary.NativeEndian.Uint64(b)), true
}
