package ring

import (
	"testing"
	"unsafe"
)

// TestOffsets checks the layout on which readers in other languages rely.
func TestOffsets(t *testing.T) {
	var h head
	var p page
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"magic", unsafe.Offsetof(h.magic), 0},
		{"capacity", unsafe.Offsetof(h.capacity), 8},
		{"position", unsafe.Offsetof(h.position), 64},
		{"written", unsafe.Offsetof(h.counts) + unsafe.Offsetof(h.counts.written), 72},
		{"full", unsafe.Offsetof(h.counts) + unsafe.Offsetof(h.counts.full), 80},
		{"tooLarge", unsafe.Offsetof(h.counts) + unsafe.Offsetof(h.counts.tooLarge), 88},
		{"state", unsafe.Offsetof(h.state), 128},
		{"want", unsafe.Offsetof(h.want), 136},
		{"read", unsafe.Offsetof(p.read), 0},
		{"sleep", unsafe.Offsetof(p.sleep), 64},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d, want %d", c.what, c.got, c.want)
		}
	}
	if unsafe.Sizeof(h) > headSize || unsafe.Sizeof(p) > pageSize {
		t.Error("head or page is larger than its place")
	}
}
