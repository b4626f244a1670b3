package ring

import (
	"sync/atomic"
	"unsafe"
)

// asHead views the start of a data file as a head. Mappings start on a page, so its words
// are aligned. mem must have headSize bytes.
func asHead(mem []byte) *head { return (*head)(unsafe.Pointer(&mem[:headSize][0])) }

// asPage views mem as a reader page. mem must have pageSize bytes.
func asPage(mem []byte) *page { return (*page)(unsafe.Pointer(&mem[:pageSize][0])) }

// asWords views mapped memory as words. It must start at a multiple of 8.
func asWords(mem []byte) []atomic.Uint64 {
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/align)
}
