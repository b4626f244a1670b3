package engine

import (
	"unsafe"

	"gomapi/internal/pkt"
)

// index returns which packet of the batch under way p is. Packets of a batch lie one
// behind the other.
func (l *loop) index(p *pkt.Packet) int {
	return int((uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(l.batch))) / unsafe.Sizeof(pkt.Packet{}))
}
