package mapi_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// TestTimesAsArguments checks that a time.Duration, a time.Time and an integer
// have the same effect as their text. The file has one packet at each of the
// seconds 0 to 4.
func TestTimesAsArguments(t *testing.T) {
	at := func(sec int64) time.Time { return time.Unix(sec, 0) }
	for _, c := range []struct {
		name      string
		target    bool // a PKT_COUNTER precedes it, which it refers to
		text, typ []any
	}{
		{"BUCKET", true, []any{"1500ms", 1}, []any{1500 * time.Millisecond, 1}},
		{"BUCKET", true, []any{"0", 0}, []any{0, 0}},
		{"STATS", true, []any{"1"}, []any{1}},
		{"STATS", true, []any{"1s"}, []any{time.Second}},
		{"DIST", true, []any{"0", "4", "2"}, []any{0, uint64(4), int8(2)}},
		{"DIST", true, []any{"0s", "4s", "2s"}, []any{time.Duration(0), 4 * time.Second, 2 * time.Second}},
		{"STARTSTOP", false, []any{"+1s", "+2s"}, []any{time.Second, 2 * time.Second}},
		{"STARTSTOP", false, []any{"1970-01-01T00:00:02Z", "+1s"}, []any{at(2).In(time.FixedZone("", 3600)), time.Second}},
		{"STARTSTOP", false, []any{"1970-01-01T00:00:01.5Z", "1970-01-01T00:00:03Z"}, []any{at(1).Add(5e8), at(3)}},
		{"BURST", false, []any{0, 1000, 100, 1_000_000_000, 1_230_400, 3_000, 10}, []any{0, 1000, 100, time.Second, 1_230_400 * time.Nanosecond, 3 * time.Microsecond, 10}},
	} {
		want, got := outcome(t, c.name, c.target, c.text), outcome(t, c.name, c.target, c.typ)
		if len(want) == 0 || bytes.Count(want, []byte{0}) == len(want) || !bytes.Equal(want, got) {
			t.Errorf("%s%v gives % x, with %v % x", c.name, c.typ, got, c.text, want)
		}
	}
}

// outcome is the result of a function on the file, or all its entries.
func outcome(t *testing.T, name string, target bool, args []any) (all []byte) {
	t.Helper()
	f, err := client(t).CreateOfflineFlow(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	if target {
		counter, err := f.Apply(t.Context(), "PKT_COUNTER")
		must(err)
		args = append([]any{counter}, args...)
	}
	fn, err := f.Apply(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	must(f.Connect(t.Context()))
	must(f.Wait(t.Context()))
	for r, err := range fn.Results(t.Context()) {
		must(err)
		if all = append(all, r.Res...); name != "BUCKET" {
			break
		}
	}
	return all
}

// TestTimesInUnits checks that a timeout of THRESHOLD is a number of
// microseconds in every form. The file has one packet per second; every second
// packet is in the quiet time.
func TestTimesInUnits(t *testing.T) {
	f, err := client(t).CreateOfflineFlow(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	counter, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	fn, err := f.Apply(t.Context(), "THRESHOLD", mapi.ThresholdUint64, counter, 0, mapi.BoundaryAbove, 1500*time.Millisecond)
	must(err)
	for _, wrong := range []any{time.Nanosecond, -time.Second, time.Hour, time.Now()} {
		_, err := f.Apply(t.Context(), "THRESHOLD", mapi.ThresholdUint64, counter, 0, mapi.BoundaryAbove, wrong)
		wantCode(t, "timeout", err, mapi.ErrInvalidArgument6)
	}
	_, err = f.Apply(t.Context(), "SAMPLE", time.Second, mapi.SamplePeriodic)
	wantCode(t, "time in the place of a number", err, mapi.ErrInvalidArgument1)
	_, err = f.Apply(t.Context(), "STARTSTOP", time.Time{}, time.Second)
	wantCode(t, "no time", err, mapi.ErrInvalidArgument)
	_, err = f.Apply(t.Context(), "STARTSTOP", -time.Second, time.Second)
	wantCode(t, "time below 0", err, mapi.ErrInvalidArgument1)
	must(f.Connect(t.Context()))
	must(f.Wait(t.Context()))
	var times []int64
	for r, err := range fn.Results(t.Context()) {
		must(err)
		e, _ := result.ParseThreshold(r.Res)
		times = append(times, e.Time().Unix())
	}
	if len(times) != 3 || times[0] != 0 || times[1] != 2 || times[2] != 4 {
		t.Errorf("events at %d, want 0, 2, 4", times)
	}
}

// TestColumnAsNumber checks that RES2FILE accepts the type of a single column
// and its interval as integers.
func TestColumnAsNumber(t *testing.T) {
	f, err := client(t).CreateOfflineFlow(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	counter, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	path := t.TempDir() + "/rows"
	must(second(f.Apply(t.Context(), "RES2FILE", mapi.R2FULLStr, []*mapi.Function{counter}, "packets", path, 2*time.Second, 0)))
	must(f.Connect(t.Context()))
	must(f.Wait(t.Context()))
	must(f.Close(t.Context()))
	b, err := os.ReadFile(path)
	if want := "packets\n3 \n"; err != nil || string(b) != want {
		t.Errorf("%q, %v, want %q", b, err, want)
	}
}
