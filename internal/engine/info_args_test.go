package engine

import (
	"strings"
	"testing"

	"gomapi/flib"
)

func TestArgText(t *testing.T) {
	long := strings.Repeat("x", maxArgText+1)
	many := make([]flib.Target, 10*maxArgText)
	for _, c := range []struct {
		arg  any
		want string
	}{
		{int32(-5), "-5"},
		{uint64(1 << 63), "9223372036854775808"},
		{byte('a'), "97"},
		{"tcp and port 80", "tcp and port 80"},
		{long, long[:maxArgText] + "..."},
		{flib.OpenFile{Path: "rows.txt"}, "rows.txt"},
		{[]flib.Target{{FD: 1, FID: 2}, {FD: 3, FID: 4}}, "2@1,4@3"},
	} {
		if got := argText(c.arg); got != c.want {
			t.Errorf("%v: %q, want %q", c.arg, got, c.want)
		}
	}
	if got := argText(many); len(got) > maxArgText+100 {
		t.Errorf("a list of %d functions has %d bytes", len(many), len(got))
	}
}
