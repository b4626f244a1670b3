package tracegen

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

// TestFrames compares the frames with those of the file.
func TestFrames(t *testing.T) {
	const packets = 3000
	var file bytes.Buffer
	if _, err := Write(&file, packets, 1); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for frame := range Frames(packets, 1) {
		want, _, err := r.ReadPacketData()
		if err != nil || !bytes.Equal(frame, want) {
			t.Fatalf("packet %d is not that of the file (%v)", n, err)
		}
		n++
	}
	if n != packets {
		t.Errorf("%d frames, want %d", n, packets)
	}
}

// TestStrings compares the counts with the plain way.
func TestStrings(t *testing.T) {
	const packets = 3000
	all := Strings(95, 1)
	want := make([]Count, len(all))
	for frame := range Frames(packets, 1) {
		for i, s := range all {
			if bytes.Contains(frame, []byte(s)) {
				want[i].Packets++
				want[i].Bytes += uint64(len(frame))
			}
		}
	}
	if got := CountStrings(all, packets, 1); !slices.Equal(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	seen := make(map[string]bool)
	for i, s := range all {
		if len(s) != StringLength || strings.ContainsAny(s, "|\\ \r\n") || seen[s] {
			t.Errorf("string %q", s)
		}
		if seen[s] = true; (i%10 == 0) != (want[i].Packets > 0) {
			t.Errorf("%d packets have string %d, %q", want[i].Packets, i, s)
		}
	}
	if len(all) != 95 {
		t.Errorf("%d strings", len(all))
	}
}

// TestRandomStringsAreRare: only the strings that are cut out of packets are in the file,
// not the others, which are drawn like payloads.
func TestRandomStringsAreRare(t *testing.T) {
	all := Strings(1000, 1)
	for i, c := range CountStrings(all, 20_000, 1) {
		if i%10 > 0 && c.Packets > 0 {
			t.Errorf("%d packets have string %d, %q", c.Packets, i, all[i])
		}
	}
}
