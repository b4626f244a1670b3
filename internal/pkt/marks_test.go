package pkt

import "testing"

// Only the packets of the batch have a mark, and only until the next batch.
func TestMarks(t *testing.T) {
	var m Marks
	array := make([]Packet, 10)
	if m.Of(&array[0]) != 0 {
		t.Error("a mark before the first batch")
	}
	marks := m.Begin(array[2:8])
	for i := range marks {
		marks[i] = uint8(i + 1)
	}
	copied := array[3]
	for i := range array {
		want := uint8(max(0, i-1))
		if i >= 8 {
			want = 0
		}
		if got := m.Of(&array[i]); got != want {
			t.Errorf("packet %d has mark %d, want %d", i, got, want)
		}
	}
	if m.Of(&copied) != 0 || m.Of(nil) != 0 {
		t.Error("a packet outside the batch has a mark")
	}
	m.Begin(array[:5])
	if m.Of(&array[3]) != 0 || m.Of(&array[6]) != 0 {
		t.Error("a mark of an earlier batch is left")
	}
}
