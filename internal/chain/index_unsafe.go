package chain

import (
	"unsafe"

	"gomapi/internal/pkt"
)

// place returns the position of p behind first. Both are in one array.
func place(first, p *pkt.Packet) int {
	return int((uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(first))) / unsafe.Sizeof(pkt.Packet{}))
}
