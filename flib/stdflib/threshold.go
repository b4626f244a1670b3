package stdflib

import (
	"context"
	"math"
	"time"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

const (
	// thresholdEvents is the minimum number of events that THRESHOLD keeps for its
	// reader.
	thresholdEvents = 1000
	// maxDivider limits the number of looks within a window.
	maxDivider = 4096
)

// Modes of THRESHOLD, with the original's numbers. They are added to the type.
const (
	modePoll   = 64  // TR_POLL
	modeWindow = 128 // TR_MW
)

var threshold = flib.Def{
	Name: "THRESHOLD",
	Description: "Watches the result of a function and records an event in a series when the result meets a boundary: " +
		"at each packet that reaches it, or at fixed moments of packet time, where it can also watch the increase within a moving window. " +
		"All packets go on to the next function. " +
		"A time stamp far in the future makes all moments up to it pass: the next moment comes only when packet time has reached it.",
	Args: []flib.Arg{
		{Name: "type", Kind: flib.Int, Doc: "how the result is read: mapi.ThresholdChar (0), ThresholdInt (1), ThresholdUint64 (2); " +
			"with ThresholdPoll (64) added, at fixed moments; with ThresholdWindow (128) added, its increase within a window"},
		{Name: "flow", Kind: flib.Flow, Doc: "flow of the function"},
		{Name: "function", Kind: flib.Func, Doc: "function to watch"},
		{Name: "threshold", Kind: flib.Uint64, Doc: "value for the comparison, in the unit of the function; " +
			"a negative value is in two's complement, for example uint64(math.MaxUint64) for -1"},
		{Name: "boundary", Kind: flib.Int, Doc: "event if the value is equal: mapi.BoundaryEqual (0), above: BoundaryAbove (1), " +
			"below: BoundaryBelow (2); or if its difference from the last value is: BoundaryDiffEqual (4), BoundaryDiffAbove (8), BoundaryDiffBelow (16)"},
		{Name: "timeout", Kind: flib.Int, Unit: time.Microsecond, Min: 0, Max: math.MaxInt32, Doc: "microseconds of packet time. At each packet: quiet time after an event. " +
			"Polling: time between two looks, at least 1. Window: its length, at least 1"},
		{Name: "divider", Kind: flib.Int, Min: math.MinInt32, Max: maxDivider, Default: int32(1),
			Doc: "window: number of looks within its length, up to 4096; less than 1 counts as 1"},
		{Name: "count", Kind: flib.Int, Default: int32(0), Doc: "maximum number of events; less than 1 for no limit"},
	},
	Result: "series of 24 bytes each: time as uint64 in 2^-32 s since 1970, compared value as uint64 (signed, except for a plain uint64), " +
		"number of events that may still follow as int32, -1 without a limit. At least the newest 1000 events are kept; " +
		"at fixed moments at least 1000 are recorded at once, and 24 more for each packet that comes after a moment; others count as lost",
	// Increases within a window and differences are signed.
	Fields: []flib.Field{
		{Name: "at", Kind: flib.FieldMoment},
		{Name: "value", Kind: flib.FieldUint64, Unit: flib.TargetUnit, When: "type=2,66 boundary=0,1,2"},
		{Name: "value", Kind: flib.FieldInt64, Unit: flib.TargetUnit},
		{Name: "remaining", Kind: flib.FieldInt32, Optional: true},
		{Kind: flib.FieldInt32},
	},
	Text:    "{at} {value}[, at most {remaining} more]",
	Example: `flow.Apply(ctx, "THRESHOLD", mapi.ThresholdUint64+mapi.ThresholdWindow, bytes, 10_000_000, mapi.BoundaryAbove, 1_000_000, 10, 0)`,
	Call:    `THRESHOLD(TYPE_UNSIGNED_LONG_LONG+TR_MW, @1, 10000000, TR_B_POS, 1000000, 10, 0)`,
	New:     newThreshold,
}

// A watch looks at the result of target.
//
// Where the man page says nothing, the following applies. Time is packet time. In the
// timed modes, moments count from the first packet that reaches the function. A moment
// has passed when a packet of the device is later, even if that packet does not reach the
// function. As with BUCKET, the function then runs before a target in its own flow, so
// that the target's result does not include the later packet. Each moment that meets the
// boundary gives an event with the time of the moment. Quiet time applies only to events
// at packets; values during quiet time still count as the last value for differences.
// While the target has no value, because its flow is closed or not connected, the
// function does not look.
type watch struct {
	target *flib.Ref
	gauge  gauge
	timed  bool
	moment period // timed: its ends are the moments
	quiet  uint64 // not timed: time without events after an event, in 2^-32 s
	last   uint64 // time of the last event; valid if events is not 0
	events uint64 // number of events so far
	limit  uint64 // maximum number of events, 0: no limit
	out    series
	buf    [result.ThresholdSize]byte
}

func newThreshold(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	typ, boundary, timeout := args.Int(0), args.Int(4), args.Int(5)
	target, err := refer(env, "THRESHOLD", mapierr.InvalidArgument2, args, 1)
	if err != nil {
		return nil, err
	}
	w := &watch{target: target, limit: uint64(max(args.Int(7), 0)), timed: typ&(modePoll|modeWindow) != 0}
	looks := uint64(1)
	if typ&modeWindow != 0 {
		looks = uint64(max(args.Int(6), 1))
	}
	if err := env.Quota().Charge(int(looks) * runSize); err != nil {
		return nil, err
	}
	if w.gauge, err = newGauge(typ, args.Uint64(3), boundary, int(looks)); err != nil {
		return nil, err
	}
	ticks := (uint64(timeout)*second + 500_000) / 1_000_000
	switch {
	case !w.timed:
		w.quiet = ticks
	case timeout < 1:
		return nil, mapierr.New(mapierr.InvalidArgument6,
			"THRESHOLD: argument 6 (timeout): %d is not a time between looks: use 1 microsecond or more", timeout)
	default:
		w.moment.ticks = ticks / looks
	}
	w.out, err = newSeries(env, "THRESHOLD", result.ThresholdSize, thresholdEvents)
	return w, err
}

// Precedes implements flib.Predecessor.
func (w *watch) Precedes() []*flib.Ref {
	if !w.timed {
		return nil
	}
	return []*flib.Ref{w.target}
}

func (w *watch) Process(in []*flib.Packet) []*flib.Packet {
	if w.timed {
		if !w.moment.started {
			w.begin()
		}
		for _, p := range in {
			w.pass(p.TS)
		}
	} else {
		w.lookAt(in)
	}
	w.out.flush()
	return in
}

// Deadline implements flib.Expirer: the first time after the next moment.
func (w *watch) Deadline() uint64 {
	if !w.timed || !w.moment.started || w.silent() {
		return flib.NoDeadline
	}
	return w.moment.last + w.moment.ticks + 1
}

// Expire implements flib.Expirer.
func (w *watch) Expire(now uint64) []*flib.Packet {
	w.pass(now)
	w.out.flush()
	return nil
}

func (w *watch) End() []*flib.Packet {
	w.out.ring.End()
	return nil
}

// begin takes the value from which a window's first increase counts.
func (w *watch) begin() {
	if v, ok := w.target.Value(); ok {
		w.gauge.begin(v)
	}
}

// pass looks at all moments before ts, those with the same outcome at once.
func (w *watch) pass(ts uint64) {
	n, end := w.moment.ended(ts)
	if n == 0 || w.silent() {
		return
	}
	v, ok := w.target.Value()
	if !ok {
		return
	}
	w.out.earn()
	for n > 0 && !w.silent() {
		looks := w.gauge.look(v, n)
		if w.gauge.hit {
			w.note(looks, end)
		}
		n, end = n-looks, end+looks*w.moment.ticks
	}
}

// lookAt looks at each packet.
func (w *watch) lookAt(in []*flib.Packet) {
	v, ok := w.target.Value()
	if !ok || w.silent() {
		return
	}
	for _, p := range in {
		if w.gauge.look(v, 1); w.gauge.hit && !w.isQuiet(p.TS) {
			w.note(1, p.TS)
		}
	}
}

// isQuiet reports whether ts is within the quiet time of the last event. Times just
// before the event also count, because packets are not always in order.
func (w *watch) isQuiet(ts uint64) bool {
	return w.events > 0 && min(ts-w.last, w.last-ts) < w.quiet
}

func (w *watch) silent() bool { return w.limit > 0 && w.events == w.limit }

// note appends n events, one per moment, the first with time ts.
func (w *watch) note(n, ts uint64) {
	if w.limit > 0 {
		n = min(n, w.limit-w.events)
	}
	for i := w.out.leaveOut(n); i < n; i++ {
		e := result.ThresholdEvent{TS: ts + i*w.moment.ticks, Value: w.gauge.value, Remaining: result.Unlimited}
		if w.limit > 0 {
			e.Remaining = int32(w.limit - w.events - i - 1)
		}
		w.out.append(e.Append(w.buf[:0]))
	}
	w.events += n
	w.last = ts
}
