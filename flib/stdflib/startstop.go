package stdflib

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

var startStop = flib.Def{
	Name: "STARTSTOP",
	Description: "Passes packets between two moments of packet time, including both. " +
		"The moments are relative to the first packet, or are times of the day.",
	Args: []flib.Arg{{
		Name: "start",
		Kind: flib.String,
		Doc: `"+30s", relative to the first packet that reaches the function (units s, ms, us, m for minutes; 2^-32 s without a unit), "+0s" for at once; ` +
			`or "2026-11-22 08:30:00", in the local time of the daemon; or with a zone as in RFC 3339, "2026-11-22T08:30:00.5Z"`,
	}, {
		Name: "stop",
		Kind: flib.String,
		Doc: `"+10m", after start; or a time of the day as for start, unless start is relative. ` +
			`If start and stop are "+0s", there is no stop. The beginning of 1970 means no limit, for start and for stop`,
	}},
	Filters: true,
	Result: "3 uint64 (result.StartStop), times in 2^-32 s since 1970: of the first packet seen, the first that passed, " +
		"the last that passed; 0 for none",
	Fields: []flib.Field{
		{Name: "first", Kind: flib.FieldTime},
		{Name: "first_passed", Kind: flib.FieldTime},
		{Name: "last_passed", Kind: flib.FieldTime},
	},
	Text:    "first packet {first}, first passed {first_passed}, last passed {last_passed}",
	Example: `flow.Apply(ctx, "STARTSTOP", "+10s", "+20s")`,
	Call:    `STARTSTOP(+10s, +20s)`,
	New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
		w, err := parseWindow(args.String(0), args.String(1))
		if err != nil {
			return nil, err
		}
		out, err := env.NewResult(result.StartStopSize)
		return &startStopper{window: w, out: out}, err
	},
}

// A window is a range of packet time, including both ends. The end 0 means no end.
type window struct {
	begin, end uint64 // 2^-32 s since 1970, or since the first packet
	relative   bool
}

// parseWindow parses the arguments of STARTSTOP.
func parseWindow(start, stop string) (w window, err error) {
	w.relative = strings.HasPrefix(start, "+")
	switch {
	case !w.relative:
		w.begin, err = parseMoment("start", start)
	case !strings.HasPrefix(stop, "+"):
		return w, mapierr.New(mapierr.InvalidArgument,
			`STARTSTOP: stop %.40q is not relative, but start %.40q is: write it like "+10s"`, stop, start)
	default:
		if w.begin, err = parseTicks(start); err != nil {
			return w, mapierr.Wrap(mapierr.InvalidArgument1, "STARTSTOP: start", err)
		}
	}
	if err != nil {
		return w, err
	}
	if !strings.HasPrefix(stop, "+") {
		w.end, err = parseMoment("stop", stop)
		return w, err
	}
	length, err := parseTicks(stop)
	if err != nil {
		return w, mapierr.Wrap(mapierr.InvalidArgument2, "STARTSTOP: stop", err)
	}
	w.end = addTime(w.begin, length)
	return w, nil
}

// parseMoment parses a time of the day, in the daemon's time zone unless the text has a
// zone.
func parseMoment(name, text string) (uint64, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = parseLocal(text)
	}
	if err != nil {
		return 0, mapierr.New(mapierr.InvalidArgument,
			`STARTSTOP: %s %.40q is not a time: use a time like "2026-11-22 08:30:00" or a relative one like "+10s"`, name, text)
	}
	if sec := t.Unix(); sec < 0 || sec > math.MaxUint32 {
		return 0, mapierr.New(mapierr.InvalidArgument,
			"STARTSTOP: %s %.40q: packet times are from 1970 to 2106", name, text)
	}
	return pkt.FromTime(t), nil
}

// parseLocal parses a time of whole seconds in the daemon's time zone.
func parseLocal(text string) (time.Time, error) {
	t, err := time.ParseInLocation("2006-1-2 15:4:5", text, time.Local)
	if err == nil && t.Nanosecond() != 0 {
		err = errors.New("not a whole second")
	}
	return t, err
}

// addTime adds times, up to the last possible time.
func addTime(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// limits returns the first and the last time that pass if the first packet came at first.
func (w *window) limits(first uint64) (from, to uint64) {
	from, to = w.begin, w.end
	if w.relative && from > 0 {
		from = addTime(first, from)
	}
	switch {
	case to == 0:
		to = math.MaxUint64
	case w.relative:
		to = addTime(first, to)
	}
	return from, to
}

// startStopper passes the packets of a window.
type startStopper struct {
	window  window
	from    uint64 // first and last time that pass, after the first packet
	to      uint64
	seen    bool
	passing bool
	times   result.StartStop
	passed  []*flib.Packet
	out     *flib.Result
}

func (s *startStopper) Process(in []*flib.Packet) []*flib.Packet {
	changed := !s.seen
	if !s.seen {
		s.seen, s.times.First = true, in[0].TS
		s.from, s.to = s.window.limits(in[0].TS)
	}
	s.passed = slices.Grow(s.passed[:0], len(in))
	for _, p := range in {
		if s.from <= p.TS && p.TS <= s.to {
			s.passed = append(s.passed, p)
		}
	}
	if s.note(s.passed) || changed {
		s.times.Put(s.out.Begin())
		s.out.End()
	}
	return s.passed
}

// note keeps the times of packets that passed. It reports whether there were any.
func (s *startStopper) note(passed []*flib.Packet) bool {
	if len(passed) == 0 {
		return false
	}
	if !s.passing {
		s.passing, s.times.FirstPassed = true, passed[0].TS
	}
	s.times.Last = passed[len(passed)-1].TS
	return true
}
