package offline

import (
	"encoding/binary"
	"math"
	"math/bits"

	"gomapi/drivers"
)

// Link types with special rules (tcpdump.org/linktypes.html).
const (
	dltNull     = 0
	dltEthernet = 1
	dltEnc      = 109
	dltDBus     = 231
	dltUSBPcap  = 249
	dltEBHSCR   = 279
)

// maxCapture is the maximum captured length of this link type in bytes. A
// longer record counts as damaged.
func maxCapture(dlt uint16) uint32 {
	switch dlt {
	case dltDBus:
		return maxRecord - blockHead - enhancedHead - blockTail // libpcap takes 128 MiB
	case dltEBHSCR:
		return 8 << 20
	case dltUSBPcap:
		return 1 << 20
	}
	return drivers.MaxSnap
}

// snapOf is the snapshot length stated in a file, or the link type's maximum if
// the stated value makes no sense.
func snapOf(stated uint32, dlt uint16) uint32 {
	if stated == 0 || stated > math.MaxInt32 {
		return maxCapture(dlt)
	}
	return stated
}

// hostOrderFamily reports whether frames of this link type start with an
// address family in the byte order of the capturing machine. Filters compare it
// in our byte order.
func hostOrderFamily(dlt uint16) bool { return dlt == dltNull || dlt == dltEnc }

func swapFamily(frame []byte) {
	if len(frame) >= 4 {
		binary.NativeEndian.PutUint32(frame, bits.ReverseBytes32(binary.NativeEndian.Uint32(frame)))
	}
}
