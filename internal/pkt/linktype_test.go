package pkt

import "testing"

// TestLinkTypeNumbers converts old and new types in both directions.
func TestLinkTypeNumbers(t *testing.T) {
	for dlt, file := range map[uint16]uint16{1: 1, 11: 100, 12: 101, 15: 102, 16: 103, 19: 106, 113: 113, 276: 276} {
		if got := FileLinkType(dlt); got != file {
			t.Errorf("files call DLT %d %d, want %d", dlt, got, file)
		}
		if got := DLTOfFile(file); got != dlt {
			t.Errorf("link type %d of files is DLT %d, want %d", file, got, dlt)
		}
	}
}
