package mapi_test

import (
	"strings"
	"testing"

	"gomapi/mapi"
)

// TestLongTexts checks that an argument that exceeds the message size is an
// argument error, and that the connection survives.
func TestLongTexts(t *testing.T) {
	c := client(t)
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	for _, size := range []int{64 << 10, 1 << 20} {
		long := strings.Repeat("x", size)
		_, err = f.Apply(t.Context(), "BPF_FILTER", long)
		wantCode(t, "first argument", err, mapi.ErrInvalidArgument1)
		_, err = f.Apply(t.Context(), "SYNC", "1", long)
		wantCode(t, "second argument", err, mapi.ErrInvalidArgument2)
		_, err = f.Apply(t.Context(), long)
		wantCode(t, "function", err, mapi.ErrInvalidArgument1)
		_, err = c.CreateFlow(t.Context(), long)
		wantCode(t, "device", err, mapi.ErrInvalidArgument1)
	}
	half := strings.Repeat("x", 40<<10)
	_, err = f.Apply(t.Context(), "STARTSTOP", half, half)
	wantCode(t, "two of half the size", err, mapi.ErrInvalidArgument1)
	if _, err := f.Apply(t.Context(), "PKT_COUNTER"); err != nil {
		t.Errorf("after that: %v", err)
	}
}
