package stdflib

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/mapi/result"
)

func bucketEntriesOf(t *testing.T, b *flibtest.Bench) (out []result.BucketEntry) {
	t.Helper()
	for _, raw := range b.Entries() {
		e, ok := result.ParseBucket(raw)
		if !ok {
			t.Fatalf("entry of %d bytes", len(raw))
		}
		out = append(out, e)
	}
	return out
}

// TestBucketAgainstModel sends packets at random times to a counter behind BUCKET, and
// computes the periods separately.
func TestBucketAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		const period = 1000
		reset := random.IntN(2)
		w := flibtest.NewWorld(t)
		target := w.Add(1, 1, 8)
		b := w.New(Library(), "BUCKET", int64(1), int64(1), "1000", int64(reset))
		start := uint64(1<<32 + random.IntN(1000))
		var want []result.BucketEntry
		count, end, ts := uint64(0), start+period, start
		for i := range 300 {
			if i > 0 {
				ts += uint64(random.IntN(period)) - period/4 // sometimes backwards
				if random.IntN(20) == 0 {
					ts += uint64(random.IntN(5 * period))
				}
			}
			for v := count; int64(ts-end) > 0; v, end = 0, end+period {
				want = append(want, result.BucketEntry{TS: end, Value: v})
				if reset == 1 {
					count = 0
				}
			}
			b.Process(packetAt(ts))
			count++
			target.Result.Set(target.Result.Uint64() + 1)
		}
		if got := bucketEntriesOf(t, b); !slices.Equal(got, want) {
			t.Fatalf("entries %v\nwant %v", got, want)
		}
	}
}

func TestBucketAtEachPacket(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 4)
	b := w.New(Library(), "BUCKET", int64(1), int64(1), "0", int64(1))
	if refs := b.Function.(flib.Predecessor).Precedes(); len(refs) != 0 {
		t.Errorf("precedes %v, but has no period", refs)
	}
	for i := range uint64(3) {
		target.Result.Set(10 * i)
		b.Process(packetAt(100 - i))
	}
	b.Process(packetAt(5), packetAt(6))
	want := []result.BucketEntry{{TS: 100}, {TS: 99, Value: 10}, {TS: 98, Value: 20}, {TS: 5, Value: 20}, {TS: 6, Value: 20}}
	if got := bucketEntriesOf(t, b); !slices.Equal(got, want) || target.Resets != 0 {
		t.Errorf("entries %v, %d resets; want %v and none", got, target.Resets, want)
	}
}

func TestBucketNever(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	b := w.New(Library(), "BUCKET", int64(1), int64(1), "-1", int64(1))
	for ts := uint64(1); ts > 0; ts <<= 1 {
		b.Process(packetAt(ts))
	}
	b.Function.(flib.Finisher).End()
	if got := b.Entries(); len(got) != 0 {
		t.Errorf("%d entries", len(got))
	}
}

// TestBucketOfDeadTarget: without a value there are no entries, and periods continue.
func TestBucketOfDeadTarget(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	target.Result.Set(7)
	b := w.New(Library(), "BUCKET", int64(1), int64(1), "10", int64(1))
	b.Process(packetAt(100))
	target.Live.Store(false)
	b.Process(packetAt(135))
	target.Live.Store(true)
	b.Process(packetAt(141))
	want := []result.BucketEntry{{TS: 140, Value: 7}}
	if got := bucketEntriesOf(t, b); !slices.Equal(got, want) || target.Resets != 1 {
		t.Errorf("entries %v, %d resets", got, target.Resets)
	}
}

// TestBucketAfterGap ends more periods than anybody could read.
func TestBucketAfterGap(t *testing.T) {
	for _, gap := range []uint64{1000, 4097, 1 << 20, 1 << 40, math.MaxInt64} {
		w := flibtest.NewWorld(t)
		w.Add(1, 1, 8)
		b := w.New(Library(), "BUCKET", int64(1), int64(1), "1", int64(0))
		room := uint64(b.Ring.Entries())
		b.Process(packetAt(1))
		b.Process(packetAt(1 + gap)) // ends gap - 1 periods, at 2 to gap
		got := bucketEntriesOf(t, b)
		n := uint64(len(got))
		if n < min(gap-1, bucketEntries) || n > room {
			t.Errorf("gap of %d: %d entries", gap, n)
		}
		for i, e := range got {
			if e.TS != gap-n+1+uint64(i) {
				t.Fatalf("gap of %d: entry %d of %d is of %d", gap, i, n, e.TS)
			}
		}
		if c := b.Ring.Shown(); c.Written+c.Full != gap-1 {
			t.Errorf("gap of %d: %+v", gap, c)
		}
		for i := range uint64(40) { // time wraps around again and again
			b.Process(packetAt((2+i)*gap + 1))
		}
		if noted := b.Ring.Shown().Written; noted > 2*room+40*(entriesPerPacket+1) {
			t.Errorf("%d entries noted, which is too much work", noted)
		}
	}
}

// TestBucketLeavesZerosOutOnly ends more periods than packets may record. All values must
// come, and as many zeros as allowed, in order, and the missing ones must be counted.
func TestBucketLeavesZerosOutOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	b := w.New(Library(), "BUCKET", int64(1), int64(1), "10", int64(0))
	ts, end, all, lost := uint64(1000), uint64(1010), uint64(0), uint64(0)
	b.Process(packetAt(ts))
	for value := range uint64(3000) {
		ts += uint64(random.IntN(2000))
		target.Result.Set(value + 1)
		b.Process(packetAt(ts))
		if ts <= end {
			continue
		}
		periods := (ts-end-1)/10 + 1
		got := bucketEntriesOf(t, b)
		n := uint64(len(got))
		if got[0] != (result.BucketEntry{TS: end, Value: value + 1}) || n < min(periods, entriesPerPacket) {
			t.Fatalf("%d entries for %d periods, the first %+v", n, periods, got[0])
		}
		end += 10 * periods
		for i, e := range got[1:] {
			if e != (result.BucketEntry{TS: end - 10*(n-1-uint64(i))}) {
				t.Fatalf("entry %d of %d is %+v, the last one ends at %d", i+1, n, e, end-10)
			}
		}
		all, lost = all+periods, lost+periods-n
	}
	if c := b.Ring.Shown(); lost == 0 || c.Full != lost || c.Written != all-lost {
		t.Errorf("%d of %d lost, counted %+v", lost, all, c)
	}
}

func TestBucketArguments(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	good := []any{int64(1), int64(1), "5s", int64(1)}
	wantCodes(t, w, "BUCKET", good, []wrongArgument{
		{0, int64(2), 7002}, {0, "1", 7001}, {1, int64(0), 7002}, {1, "1", 7002},
		{2, "0s", 7003}, {2, "+0", 7003}, {2, "0.4", 7003}, {2, "-2", 7003}, {2, "", 7003}, {2, "5h", 7003}, {2, int64(-2), 7003},
		{3, int64(2), 7004}, {3, int64(-1), 7004}, {3, "1", 7004},
	})
	b, err := w.Apply(Library(), "BUCKET", good...)
	if err != nil {
		t.Fatal(err)
	}
	refs := b.Function.(flib.Predecessor).Precedes()
	if len(refs) != 1 || refs[0].Result != target.Result {
		t.Errorf("precedes %v", refs)
	}
}
