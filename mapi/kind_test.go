package mapi_test

import (
	"testing"

	"gomapi/mapi"
)

func TestKinds(t *testing.T) {
	f, err := client(t).CreateFlow(t.Context(), "net0")
	must(err)
	counter, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	for _, c := range []struct {
		name string
		args []any
		want mapi.Kind
	}{
		{"BPF_FILTER", []any{"udp"}, mapi.KindNone},
		{"BYTE_COUNTER", nil, mapi.KindResult},
		{"BUCKET", []any{counter, "1s", 0}, mapi.KindSeries},
		{"HASHSAMP", []any{10, 0}, mapi.KindNone},
		{"HASHSAMP", []any{10, 1}, mapi.KindSeries},
		{"TO_BUFFER", nil, mapi.KindPackets},
	} {
		fn, err := f.Apply(t.Context(), c.name, c.args...)
		if must(err); fn.Kind() != c.want {
			t.Errorf("%s%v: %v, want %v", c.name, c.args, fn.Kind(), c.want)
		}
	}
}
