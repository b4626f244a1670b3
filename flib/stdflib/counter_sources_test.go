package stdflib

import (
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/books"
)

// TestCounterSourcesMissADroppedPacket gives each function with its own books one packet
// less than claimed. The books must show this.
func TestCounterSourcesMissADroppedPacket(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	for name, b := range map[string]*flibtest.Bench{
		"TO_BUFFER": flibtest.New(t, Library(), "TO_BUFFER"),
		"TO_FILE":   flibtest.New(t, Library(), "TO_FILE", int64(formatPCAP), target(t), int64(3)),
		"RES2FILE":  newRows(t, w, "1", "1@1", "0", 0).Bench,
	} {
		in := packetsAt(1, 2, 3, 4, 5)
		for _, lost := range []int{0, 1} {
			b.Process(in[lost:]...)
			s := books.Stage{In: uint64(len(in) * (lost + 1))}
			s.Out, s.Notes = b.Function.(flib.CounterSource).Books()
			if s.Missing() != int64(lost) {
				t.Errorf("%s lost %d: %+v", name, lost, s)
			}
		}
	}
}
