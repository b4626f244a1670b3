package acceptance

import (
	"path/filepath"
	"slices"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// A reading runs the functions of one flow on a capture; some read the results
// of others.
type reading struct {
	t      *testing.T
	device *mapi.OfflineDevice
	flow   *mapi.Flow
}

func newReading(t *testing.T, client *mapi.Client, file string) *reading {
	t.Helper()
	d, err := client.CreateOfflineDevice(t.Context(), filepath.Join(testdata.Dir(t), file), mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	f, err := client.CreateFlow(t.Context(), d.Name())
	if err != nil {
		t.Fatal(err)
	}
	return &reading{t: t, device: d, flow: f}
}

func (r *reading) apply(name string, args ...any) *mapi.Function {
	r.t.Helper()
	fn, err := r.flow.Apply(r.t.Context(), name, args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return fn
}

// run connects the flow and reads the file to its end.
func (r *reading) run() {
	r.t.Helper()
	ctx := r.t.Context()
	for _, step := range []func() error{
		func() error { return r.flow.Connect(ctx) },
		func() error { return r.device.Start(ctx) },
		func() error { return r.device.Wait(ctx) },
	} {
		if err := step(); err != nil {
			r.t.Fatal(err)
		}
	}
}

// entries returns a whole series.
func entries[T any](t *testing.T, fn *mapi.Function, parse func([]byte) (T, bool)) (out []T) {
	t.Helper()
	for r, err := range fn.Results(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		e, ok := parse(r.Res)
		if !ok {
			t.Fatalf("entry of %d bytes", len(r.Res))
		}
		out = append(out, e)
	}
	return out
}

// bucketGoldens are packet counts per period.
var bucketGoldens = []struct {
	file, interval string
	seconds        uint64
	begin          []uint64 // of the first periods
	periods        int
	left           uint64 // packets in no period
}{
	{"mapi-tracefile.pcap", "5s", 5, []uint64{26, 18, 9, 11, 10, 9, 14, 42, 10, 9, 9, 11, 31, 13, 13, 9, 8, 10, 118, 92, 181, 164, 56}, 23, 20},
	{"mapi-tracefile.pcap", "10s", 10, []uint64{44, 20, 19, 56, 19, 20, 44, 22, 18, 210, 345}, 11, 76},
	{"mapi-tracefile.pcap", "0.5m", 30, []uint64{83, 95, 84}, 3, 631},
	{"mapi-tracefile.pcap", "1000ms", 1, nil, 118, 0},
	{"mapi-www.pcap", "1s", 1, []uint64{7, 0, 0, 0, 0, 0, 0}, 7, 3},
}

func TestBucketGoldens(t *testing.T) {
	client := start(t).client()
	for _, c := range bucketGoldens {
		r := newReading(t, client, c.file)
		packets := r.apply("PKT_COUNTER")
		bucket := r.apply("BUCKET", packets, c.interval, 1)
		total := r.apply("PKT_COUNTER")
		r.run()
		var values []uint64
		var last, sum, zeros uint64
		for _, e := range entries(t, bucket, result.ParseBucket) {
			if last != 0 && e.TS-last != c.seconds<<32 {
				t.Errorf("%s %s: period ends at %v, %v after the last", c.file, c.interval, e.Time(), e.TS-last)
			}
			values, last, sum = append(values, e.Value), e.TS, sum+e.Value
			if e.Value == 0 {
				zeros++
			}
		}
		if len(values) != c.periods || c.begin != nil && !slices.Equal(values, c.begin) {
			t.Errorf("%s %s: %d periods %d, want %d", c.file, c.interval, len(values), values, c.begin)
		}
		left, err := packets.Uint64()
		if err != nil || c.begin != nil && left != c.left {
			t.Errorf("%s %s: %d packets remain, %v; want %d", c.file, c.interval, left, err, c.left)
		}
		if all, err := total.Uint64(); err != nil || sum+left != all {
			t.Errorf("%s %s: %d packets in periods and %d left of %d, %v", c.file, c.interval, sum, left, all, err)
		}
		if c.interval == "1000ms" && zeros != 12 {
			t.Errorf("%s %s: %d periods without packets, want 12", c.file, c.interval, zeros)
		}
	}
}
