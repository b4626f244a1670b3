package engine

import (
	"context"
	"testing"

	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// TestNotAnonymous tests that a flow whose anonymizing function could not be applied cannot be
// connected before it is applied.
func TestNotAnonymous(t *testing.T) {
	b := newBed(t, flib.Library{Name: "anonflib", Functions: []flib.Def{{
		Name: "ANONYMIZE", Args: []flib.Arg{{Name: "rule", Kind: flib.String}},
		New: func(_ context.Context, _ flib.Env, args flib.Args) (flib.Function, error) {
			switch args.String(0) {
			case "panic":
				panic("boom")
			case "bad":
				return nil, mapierr.New(mapierr.InvalidArgument1, "no rule")
			}
			return &script{}, nil
		},
	}}})
	c := b.client(1)
	for _, failing := range [][]any{{"bad"}, {"panic"}, {int64(1)}, nil, {"good", "surplus"}} {
		fd, _ := c.flow(fn("PKT_COUNTER"))
		other, _ := c.flow(fn("PKT_COUNTER"))
		if _, err := c.Apply(t.Context(), fd, "ANONYMIZE", failing); err == nil {
			t.Fatalf("%v was applied", failing)
		}
		wantCode(t, "connect", c.Connect(t.Context(), fd), mapierr.CouldNotInitFunction)
		wantCode(t, "connect of another flow", c.Connect(t.Context(), other), 0)
		if _, err := c.Apply(t.Context(), fd, "anonflib:ANONYMIZE!1", []any{"good"}); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "connect when it was applied", c.Connect(t.Context(), fd), 0)
		wantCode(t, "second connect", c.Connect(t.Context(), fd), mapierr.FlowAlreadyActive)
	}
	fd, _ := c.flow(fn("PKT_COUNTER"))
	c.NotApplied(fd, "ANONYMIZE", mapierr.New(mapierr.InvalidArgument1, "not to be read"))
	c.NotApplied(4711, "ANONYMIZE", mapierr.New(mapierr.InvalidArgument1, "no such flow"))
	wantCode(t, "connect", c.Connect(t.Context(), fd), mapierr.CouldNotInitFunction)
}
