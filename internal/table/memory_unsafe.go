package table

import "unsafe"

func sizeOf[T any]() int { var v T; return int(unsafe.Sizeof(v)) }

// asArray returns page-aligned memory as an array.
func asArray[T any](raw []byte) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(&raw[0])), len(raw)/sizeOf[T]())
}
