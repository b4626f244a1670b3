package stdflib

import (
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
)

// captured makes a packet of bytes that is longer on the wire.
func captured(text string) *flib.Packet {
	return &flib.Packet{Link: []byte(text), Wire: 1514, LinkType: flibtest.EN10MB}
}

func TestSearchLetsThroughWhatItFinds(t *testing.T) {
	b := flibtest.New(t, Library(), "STR_SEARCH", "GET||P|4f 53|T", int64(3), int64(0))
	get, post, early, other := captured("...GET /"), captured("......POST"), captured("..GET /"), captured("...get /")
	out := b.Process(get, early, other, post)
	if len(out) != 2 || out[0] != get || out[1] != post {
		t.Errorf("%d packets passed, want GET and POST", len(out))
	}
	if out := b.Process(early, other, captured(""), captured("...GE")); len(out) != 0 {
		t.Errorf("%d packets passed, want none", len(out))
	}
}

func TestSearchTellsItsPattern(t *testing.T) {
	b, err := flibtest.Apply(t, Library(), "STR_SEARCH", "GET||P|4f 53|T", int64(3), int64(9))
	if err != nil {
		t.Fatal(err)
	}
	p := b.Function.(flib.Searcher).Pattern()
	if got := texts(p.Strings); !slices.Equal(got, []string{"GET", "POST"}) || p.Offset != 3 || p.Depth != 9 {
		t.Errorf("%q from %d, depth %d", got, p.Offset, p.Depth)
	}
}

func TestSearchArguments(t *testing.T) {
	for _, c := range []struct {
		args []any
		want mapierr.Code
	}{
		{nil, mapierr.InvalidArgument1},
		{[]any{"a"}, mapierr.InvalidArgument2},
		{[]any{"a", int64(0)}, mapierr.InvalidArgument3},
		{[]any{"a", int64(0), int64(0), int64(0)}, mapierr.InvalidArgument4},
		{[]any{"", int64(0), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(5), int64(0), int64(0)}, mapierr.InvalidArgument1},
		{[]any{"a", "0", int64(0)}, mapierr.InvalidArgument2},
		{[]any{"a", int64(-120), int64(0)}, mapierr.InvalidArgument2},
		{[]any{"a", int64(1 << 31), int64(0)}, mapierr.InvalidArgument2},
		{[]any{"a", int64(0), "0"}, mapierr.InvalidArgument3},
		{[]any{"a", int64(0), int64(-1)}, mapierr.InvalidArgument3},
		{[]any{"a|b", int64(0), int64(0)}, mapierr.StrSearchPipe},
		{[]any{"abcd", int64(0), int64(3)}, mapierr.StrSearchDepth},
		{[]any{"||", int64(0), int64(0)}, mapierr.StrSearchPattern},
		{[]any{"abcd", int64(1<<31 - 1), int64(1<<31 - 1)}, 0},
		{[]any{"abcd", int64(0), int64(4)}, 0},
	} {
		_, err := flibtest.Apply(t, Library(), "STR_SEARCH", c.args...)
		if got := mapierr.CodeOf(err, 0); got != c.want || (err == nil) != (c.want == 0) {
			t.Errorf("STR_SEARCH%q gives %v, want error %d", c.args, err, int(c.want))
		}
	}
}
