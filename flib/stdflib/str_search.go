package stdflib

import (
	"context"
	"math"

	"gomapi/flib"
	"gomapi/internal/content"
	"gomapi/internal/mapierr"
)

var strSearch = flib.Def{
	Name: "STR_SEARCH",
	Description: "Passes the packets that contain one of the given strings. " +
		"It searches only captured bytes, including headers, and is case-sensitive.",
	Args: []flib.Arg{{
		Name: "pattern",
		Kind: flib.String,
		Doc: `What to search for, not empty: bytes as they are, || between alternatives, ` +
			`bytes in hexadecimal between two pipes as in |0d 0a| (the only way to write NUL), \| and \\ for the characters | and \.`,
	}, {
		Name: "offset",
		Kind: flib.Int,
		Doc:  "Where the search begins: bytes from the start of the link-layer header, 0 or more.",
		Min:  0, Max: math.MaxInt32,
	}, {
		Name: "depth",
		Kind: flib.Int,
		Doc: "How many bytes from there on are searched: at least the length of the longest alternative, " +
			"or 0 for all captured bytes.",
		Min: 0, Max: math.MaxInt32,
	}},
	Filters: true,
	Example: `flow.Apply(ctx, "STR_SEARCH", "GET /||POST /", 54, 0)`,
	Call:    `STR_SEARCH("GET /||POST /", 54, 0)`,
	New:     newStringSearch,
}

// stringSearch searches each packet for its pattern.
type stringSearch struct {
	pattern *content.Pattern
	out     []*flib.Packet
}

func newStringSearch(_ context.Context, _ flib.Env, args flib.Args) (flib.Function, error) {
	text := args.String(0)
	if text == "" {
		return nil, mapierr.New(mapierr.InvalidArgument1,
			"STR_SEARCH: the pattern is empty: omit the function to pass every packet")
	}
	p, err := newPattern(text, int(args.Int(1)), int(args.Int(2)))
	if err != nil {
		return nil, err
	}
	return &stringSearch{pattern: p}, nil
}

// Pattern implements flib.Searcher.
func (s *stringSearch) Pattern() *content.Pattern { return s.pattern }

func (s *stringSearch) Process(in []*flib.Packet) []*flib.Packet {
	s.out = s.out[:0]
	for _, p := range in {
		if s.pattern.Match(p.Link) {
			s.out = append(s.out, p)
		}
	}
	return s.out
}
