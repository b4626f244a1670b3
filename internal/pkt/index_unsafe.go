package pkt

import "unsafe"

// Index returns the position of p behind first, if both are in one array. For a packet
// elsewhere the result is a number that is no index of the array.
func Index(first, p *Packet) int {
	return int((uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(first))) / unsafe.Sizeof(Packet{}))
}
