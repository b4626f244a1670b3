package acceptance

import (
	"slices"
	"testing"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// TestThresholdOnCapture checks a capture every 5 s, with the goldens of
// BUCKET, and at each packet.
func TestThresholdOnCapture(t *testing.T) {
	client := start(t).client()
	r := newReading(t, client, "mapi-tracefile.pcap")
	packets, bytes := r.apply("PKT_COUNTER"), r.apply("BYTE_COUNTER")
	watch := func(typ mapi.ThresholdType, target *mapi.Function, threshold uint64, boundary mapi.Boundary, timeout, divider, count int) *mapi.Function {
		return r.apply("THRESHOLD", mapi.ThresholdUint64+typ, target, threshold, boundary, timeout, divider, count)
	}
	const fiveSeconds = 5_000_000
	polled := watch(mapi.ThresholdPoll, packets, 0, mapi.BoundaryAbove, fiveSeconds, 0, 0)
	inWindow := watch(mapi.ThresholdWindow, packets, 0, mapi.BoundaryAbove, fiveSeconds, 1, 0)
	busy := watch(mapi.ThresholdWindow, packets, 100, mapi.BoundaryAbove, fiveSeconds, 1, 2)
	grown := watch(mapi.ThresholdPoll, packets, 100, mapi.BoundaryDiffAbove, fiveSeconds, 0, 0)
	full := watch(0, packets, 893, mapi.BoundaryEqual, 0, 0, 0)
	large := watch(0, bytes, 1513, mapi.BoundaryDiffAbove, 0, 0, 5) // six packets of 1514 bytes
	r.run()

	perPeriod := bucketGoldens[0].begin
	var total uint64
	var totals, above100 []uint64
	for _, n := range perPeriod {
		total += n
		totals = append(totals, total)
		if n > 100 {
			above100 = append(above100, n)
		}
	}
	for _, c := range []struct {
		what string
		fn   *mapi.Function
		want []uint64
	}{
		{"packets every 5 s", polled, totals},
		{"packets within 5 s", inWindow, perPeriod},
		{"more than 100 within 5 s, twice", busy, above100[:2]},
		{"more than 100 since the last look", grown, above100},
		{"the last packet", full, []uint64{893}},
		{"large packets", large, []uint64{1514, 1514, 1514, 1514, 1514}},
	} {
		var got []uint64
		for _, e := range entries(t, c.fn, result.ParseThreshold) {
			got = append(got, e.Value)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}
