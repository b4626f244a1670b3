package table

import "unsafe"

func sizeOf[T any]() int { var v T; return int(unsafe.Sizeof(v)) }

// asArray returns page-aligned memory as an array.
func asArray[T any](raw []byte) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(&raw[0])), len(raw)/sizeOf[T]())
}

// misplaced returns how many bytes of memory come before the first multiple of align.
func misplaced(memory []byte, align int) int {
	return int(-uintptr(unsafe.Pointer(&memory[0])) & uintptr(align-1))
}
