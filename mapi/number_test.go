package mapi_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// TestNarrowResults checks that results of 4 bytes can be read as numbers, like
// those of 8.
func TestNarrowResults(t *testing.T) {
	f, err := client(t).CreateOfflineFlow(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	hash, err := f.Apply(t.Context(), "HASH", 0)
	must(err)
	file, err := f.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, t.TempDir()+"/out.pcap")
	must(err)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(err)
	defer full.Close()
	failed, err := f.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, full)
	must(err)
	must(f.Connect(t.Context()))
	must(f.Wait(t.Context()))
	sum, last := 0, packet(4)
	for _, b := range last {
		sum += int(b)
	}
	wantNumber(t, hash, int64((len(last)+sum)%500009), 0)
	for _, fn := range []*mapi.Function{file, failed} { // the goroutines of the files end soon
		for n, err := fn.Int64(); err == nil && n == int64(result.FileWriting); n, err = fn.Int64() {
		}
	}
	wantNumber(t, file, int64(result.FileDone), 0)
	wantNumber(t, failed, int64(result.FileFailed), mapi.ErrNoResult)
	if _, err := failed.Uint64(); err == nil || !strings.Contains(err.Error(), "is -1, below 0: use Int64") {
		t.Errorf("a failed file: %v", err)
	}
	if n := testing.AllocsPerRun(100, func() { hash.Uint64() }); n != 0 {
		t.Errorf("%v allocations to read a hash", n)
	}
}

// wantNumber checks a result with each call that reads a number. refused is the
// expected error of Uint64 for a negative number.
func wantNumber(t *testing.T, fn *mapi.Function, want int64, refused mapi.Code) {
	t.Helper()
	if n, err := fn.Int64(); n != want || err != nil {
		t.Errorf("%s as int64: %d, %v, want %d", fn.Name(), n, err, want)
	}
	n, err := fn.Uint64()
	if wantCode(t, fn.Name(), err, refused); err == nil && n != uint64(want) {
		t.Errorf("%s as uint64: %d, want %d", fn.Name(), n, want)
	}
	r, err := fn.Read()
	must(err)
	if all := (mapi.Results{r}); r.Int64() != want || r.Uint64() != uint64(want) || all.Int64() != want || all.Uint64() != uint64(want) {
		t.Errorf("%s is %d and %d, want %d", fn.Name(), r.Int64(), r.Uint64(), want)
	}
}

func TestNumbersOfResults(t *testing.T) {
	for _, c := range []struct {
		res  string
		want int64
	}{
		{"\x05\x00\x00\x00\x00\x00\x00\x00", 5}, {"\xff\xff\xff\xff\xff\xff\xff\xff", -1},
		{"\x05\x00\x00\x00", 5}, {"\xff\xff\xff\xff", -1}, {"\x00\x00\x00\x80", math.MinInt32},
		{"\x07\x00\x00\x00\x00\x00\x00\x00 and more", 7}, {"", 0}, {"abc", 0},
	} {
		r := mapi.Result{Res: []byte(c.res)}
		if r.Int64() != c.want || r.Uint64() != uint64(c.want) {
			t.Errorf("%q is %d, %d, want %d", c.res, r.Int64(), r.Uint64(), c.want)
		}
	}
	if none := (mapi.Results)(nil); none.Int64() != 0 || none.Uint64() != 0 {
		t.Error("no result is a number")
	}
}
