package chain

import (
	"unsafe"

	"gomapi/internal/pkt"
)

// place returns which packet of those from first on p is. They lie one behind the other.
func place(first, p *pkt.Packet) int {
	return int((uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(first))) / unsafe.Sizeof(pkt.Packet{}))
}
