package stdflib

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// rows is a RES2FILE under test and the file that it writes.
type rows struct {
	*flibtest.Bench
	t    testing.TB
	file flib.OpenFile
}

// newRows applies RES2FILE in a world.
func newRows(t *testing.T, w *flibtest.World, types, functions, interval string, reset int64) *rows {
	t.Helper()
	file := target(t)
	return &rows{w.New(Library(), "RES2FILE", types, functions, "HEAD", file, interval, reset), t, file}
}

// close closes the flow and fails unless the file contains want after the header.
func (r *rows) close(want string) {
	r.t.Helper()
	if err := r.Function.(flib.Closer).Close(); err != nil {
		r.t.Fatal(err)
	}
	got, err := os.ReadFile(r.file.Path)
	if err != nil {
		r.t.Fatal(err)
	}
	if string(got) != "HEAD\n"+want {
		r.t.Errorf("the file has\n%q, want\n%q", got, "HEAD\n"+want)
	}
}

// addStats adds a STATS as a target.
func addStats(w *flibtest.World, fd, fid int32) *flibtest.Target {
	s := w.Add(fd, fid, result.StatsSize)
	s.Name = "STATS"
	return s
}

// setStats writes a result as STATS does.
func setStats(s *flibtest.Target, count uint64, sum, sumLow, sum2, sum2Low, maximum, minimum float64) {
	b := s.Result.Begin()
	binary.NativeEndian.PutUint64(b, count)
	for i, f := range []float64{sum, sumLow, sum2, sum2Low, maximum, minimum} {
		binary.NativeEndian.PutUint64(b[16+8*i:], math.Float64bits(f))
	}
	s.Result.End()
}

func TestRowOfEachType(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8).Result.Set(math.MaxUint64)
	w.Add(1, 2, 4).Result.Set(7)
	w.Add(2, 3, 8).Result.Set(1089376572<<32 | 1309204816)
	setStats(addStats(w, 2, 4), 893, 283464, 0, 1<<62, 1, 1514, 42.5)
	raw := w.Add(2, 5, 11).Result
	copy(raw.Begin(), "raw\nresult!")
	raw.End()
	r := newRows(t, w, "1, 1,2,3,0,1", "1@1, 2@1,3@2,4@2,5@2,4@2", "0", 0)
	if out := r.Process(packetsAt(5)...); len(out) != 1 {
		t.Errorf("%d packets went on", len(out))
	}
	r.close("18446744073709551615 7 1089376572.304822999984 " +
		"893  283464.000000 4611686018427387904.000000 42.500000 1514.000000 " +
		string(binary.NativeEndian.AppendUint64(nil, 11)) + "raw\nresult!" + "893 \n")
}

func TestRowsOfPeriods(t *testing.T) {
	w := flibtest.NewWorld(t)
	a, b := w.Add(1, 1, 8), w.Add(1, 2, 8)
	b.NoReset = true
	r := newRows(t, w, "1,1", "1@1,2@1", "10", 1)
	for i, ts := range []uint64{100, 95, 110, 111, 111, 110, 141, 142, 151} {
		r.Process(packetsAt(ts)...)
		a.Result.Set(a.Result.Uint64() + 1) // later: the packet that ends a period is not in its row
		b.Result.Set(uint64(i + 1))
	}
	r.Function.(flib.Finisher).End()
	// 100, 95, 110 | 111, 111, 110 | - | - | 141, 142; the rest is open.
	r.close("3 3 \n3 6 \n0 0 \n0 0 \n2 8 \n")
	if a.Resets != 3 || b.Resets != 0 {
		t.Errorf("%d and %d resets, want 3 and 0", a.Resets, b.Resets)
	}
	if c := counters(r.Bench); c["passed"] != 9 || c["rows written"] != 5 || c["bytes written"] != 5+5*5 {
		t.Errorf("%v", c)
	}
}

func TestRowsWithoutReset(t *testing.T) {
	for _, c := range []struct {
		interval string
		reset    int64
		want     string
	}{{"10", 0, "111 \n122 \n"}, {"0", 1, "100 \n111 \n122 \n"}} {
		w := flibtest.NewWorld(t)
		a := w.Add(1, 1, 8)
		r := newRows(t, w, "1", "1@1", c.interval, c.reset)
		for ts := uint64(100); ts < 130; ts += 11 {
			a.Result.Set(ts)
			r.Process(packetsAt(ts)...)
		}
		r.close(c.want)
		if a.Resets != 0 {
			t.Errorf("%d resets", a.Resets)
		}
	}
}

func TestRowAtClose(t *testing.T) {
	w := flibtest.NewWorld(t)
	a := w.Add(1, 1, 8)
	r := newRows(t, w, "1", "1@1", "-1", 1)
	r.Process(packetsAt(1, 1<<50)...)
	r.Function.(flib.Finisher).End()
	a.Result.Set(12)
	r.close("12 \n")
	if a.Resets != 0 {
		t.Errorf("%d resets", a.Resets)
	}
}

// TestNoRowWithoutValue: there are no rows while a function is dead or its flow was never
// connected.
func TestNoRowWithoutValue(t *testing.T) {
	for interval, want := range map[string]uint64{"-1": 1, "0": 3, "10": 4} {
		w := flibtest.NewWorld(t)
		w.Add(1, 1, 8)
		w.Add(1, 2, 8).Live.Store(false)
		r := newRows(t, w, "1,1", "1@1,2@1", interval, 1)
		r.Process(packetsAt(1, 2, 42)...)
		r.close("")
		if c := counters(r.Bench); c["rows left out: no value"] != want || c["rows written"] != 0 {
			t.Errorf("interval %s: %v, want %d left out", interval, c, want)
		}
	}
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	r := newRows(t, w, "1", "1@1", "-1", 0)
	r.Function.(flib.Starter).Stop() // connect failed
	r.close("")
}

// TestAbsurdTimes: absurd times write a limited number of rows and count the others.
func TestAbsurdTimes(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Offline = true // no row may be lost
	w.Add(1, 1, 8).Result.Set(5)
	r := newRows(t, w, "1", "1@1", "1", 0)
	r.Process(packetsAt(1<<40, 1<<62)...)
	r.Process(packetsAt(1<<62+1<<60, math.MaxUint64)...)
	empty := uint64(maxEmptyRows + 2*emptyRowsPerPacket)
	var want strings.Builder
	want.WriteString("5 \n")
	want.WriteString(strings.Repeat("0 \n", maxEmptyRows))
	want.WriteString("5 \n")
	want.WriteString(strings.Repeat("0 \n", 2*emptyRowsPerPacket))
	r.close(want.String())
	c := counters(r.Bench)
	all := uint64(1<<62-1<<40-1) + 1<<60 // rows of all periods
	if c["rows written"] != empty+2 || c["rows left out: too many"] != all-empty-2 {
		t.Errorf("%v, want %d written and %d left out", c, empty+2, all-empty-2)
	}
}

// TestSlowReaderOfRows loses rows of live devices and none of capture files.
func TestSlowReaderOfRows(t *testing.T) {
	const packets = 1 << 20
	for _, offline := range []bool{false, true} {
		w := flibtest.NewWorld(t)
		w.Offline = offline
		a := w.Add(1, 1, 8)
		read, write := pipe(t)
		b := w.New(Library(), "RES2FILE", "1", "1@1", "", flib.OpenFile{File: foreigntest.Own(t, write), Path: "pipe"}, "0", int64(0))
		var got bytes.Buffer
		done := make(chan error, 1)
		begin := func() {
			go func() {
				_, err := got.ReadFrom(read)
				done <- err
			}()
		}
		if offline {
			begin()
		}
		for i := range uint64(packets) {
			a.Result.Set(i)
			b.Process(packetsAt(i)...)
		}
		if !offline {
			begin()
		}
		if err := errors.Join(b.Function.(flib.Closer).Close(), <-done); err != nil {
			t.Fatal(err)
		}
		c := counters(b)
		if c["rows written"]+c["rows lost: queue full"] != packets || offline != (c["rows lost: queue full"] == 0) {
			t.Errorf("offline %v: %v", offline, c)
		}
		lines := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")[1:]
		if uint64(len(lines)) != c["rows written"] {
			t.Errorf("%d rows read, %d written", len(lines), c["rows written"])
		}
		last := int64(-1)
		for _, line := range lines {
			var n int64
			if _, err := fmt.Sscanf(line, "%d ", &n); err != nil || n <= last {
				t.Fatalf("row %q after that of %d", line, last)
			}
			last = n
		}
	}
}

// TestRowsWaitUntilInterrupted writes to a pipe that nobody reads.
func TestRowsWaitUntilInterrupted(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Offline = true
	w.Add(1, 1, 8)
	_, write := pipe(t)
	b, err := w.Apply(Library(), "RES2FILE", "1", "1@1", "", flib.OpenFile{File: foreigntest.Own(t, write), Path: "pipe"}, "0", int64(0))
	if err != nil {
		t.Fatal(err)
	}
	fn := b.Function.(*rowWriter)
	if err := fn.Start(); err != nil {
		t.Fatal(err)
	}
	packets := numbered(1 << 20)
	done := make(chan struct{})
	go func() {
		fn.Process(packets)
		close(done)
	}()
	fn.Interrupt()
	<-done
	if err := fn.Close(); mapierr.CodeOf(err, 0) != mapierr.File {
		t.Errorf("Close gives %v, want 6155", err)
	}
	if c := counters(b); c["rows written"]+c["rows not written: flow closed"] != 1<<20 || c["rows waiting"] != 0 {
		t.Errorf("%v", c)
	}
}

func TestRowsInAFullFile(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	b, err := w.Apply(Library(), "RES2FILE", "1", "1@1", "", flib.OpenFile{File: foreigntest.Own(t, f), Path: "full"}, "0", int64(0))
	if err != nil {
		t.Fatal(err)
	}
	fn := b.Function.(*rowWriter)
	if err := errors.Join(fn.Start(), fn.Start()); err != nil { // a second connect
		t.Fatal(err)
	}
	if out := b.Process(packetsAt(1, 2, 3)...); len(out) != 3 {
		t.Errorf("%d of 3 packets went on", len(out))
	}
	if err := fn.Close(); mapierr.CodeOf(err, 0) != mapierr.File {
		t.Errorf("Close gives %v, want 6155", err)
	}
	if c := counters(b); c["rows not written: file error"] != 3 || c["passed"] != 3 {
		t.Errorf("%v", c)
	}
}

func TestRowsPrecedeWhenPeriodic(t *testing.T) {
	for interval, want := range map[string]int{"-1": 0, "0": 0, "1": 2} {
		w := flibtest.NewWorld(t)
		w.Add(1, 1, 8)
		w.Add(1, 2, 8)
		r := newRows(t, w, "1,1", "1@1,2@1", interval, 0)
		if refs := r.Function.(flib.Predecessor).Precedes(); len(refs) != want {
			t.Errorf("interval %s: precedes %d, want %d", interval, len(refs), want)
		}
	}
}

func TestRes2FileArguments(t *testing.T) {
	const file = true // a new one
	reading, err := os.Open(target(t).Path)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	addStats(w, 1, 2)
	w.Add(1, 3, 40000)
	w.Add(1, 4, 64).Name = "DIST"
	for _, c := range []struct {
		types, functions any
		header, file     any
		interval, reset  any
		want             mapierr.Code
	}{
		{"1", "1@1", "H", file, "1s", int64(1), 0},
		{"1,3,0", "1@1,2@1", "", file, "1s", int64(1), 0}, // more types than functions
		{"1", "1@1,2@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"", "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"4", "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"-1", "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"1,x", "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"1,", "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"3", "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1}, // no STATS
		{"3", "4@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1}, // of its size, but none
		{int64(1), "1@1", "H", file, int64(0), int64(1), 0},
		{int64(4), "1@1", "H", file, "1s", int64(1), mapierr.InvalidArgument1},
		{"1", "", "H", file, "1s", int64(1), mapierr.InvalidArgument2},
		{"1", "1", "H", file, "1s", int64(1), mapierr.InvalidArgument2},
		{"1", "9@1", "H", file, "1s", int64(1), mapierr.InvalidArgument2},
		{"1", "1@9", "H", file, "1s", int64(1), mapierr.InvalidArgument2},
		{"0,0", "3@1,3@1", "H", file, "1s", int64(1), mapierr.InvalidArgument2}, // too long
		{"1", "1@1", int64(1), file, "1s", int64(1), mapierr.InvalidArgument3},
		{"1", "1@1", strings.Repeat("h", maxHeader+1), file, "1s", int64(1), mapierr.InvalidArgument3},
		{"1", "1@1", "H", "file", "1s", int64(1), mapierr.InvalidArgument4},
		{"1", "1@1", "H", flib.OpenFile{File: foreigntest.Own(t, reading), Path: "for reading"}, "1s", int64(1), mapierr.InvalidArgument4},
		{"1", "1@1", "H", file, "0s", int64(1), mapierr.InvalidArgument5},
		{"1", "1@1", "H", file, "0.0", int64(1), mapierr.InvalidArgument5},
		{"1", "1@1", "H", file, "-2", int64(1), mapierr.InvalidArgument5},
		{"1", "1@1", "H", file, "soon", int64(1), mapierr.InvalidArgument5},
		{"1", "1@1", "H", file, int64(-2), int64(1), mapierr.InvalidArgument5},
		{"1", "1@1", "H", file, "1s", int64(2), mapierr.InvalidArgument6},
		{"1", "1@1", "H", file, "1s", int64(-1), mapierr.InvalidArgument6},
	} {
		if c.file == file {
			c.file = target(t)
		}
		b, err := w.Apply(Library(), "RES2FILE", c.types, c.functions, c.header, c.file, c.interval, c.reset)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("RES2FILE%.100v gives %v, want error %d", c, err, int(c.want))
		}
		if err == nil {
			if err := b.Function.(flib.Closer).Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSecondsAreExact compares with fractions.
func TestSecondsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := []uint64{0, 1, 1 << 31, 1<<32 - 1, 1 << 32, math.MaxUint64, math.MaxUint64 - 1}
	for range 10000 {
		values = append(values, r.Uint64()>>r.IntN(64))
	}
	for _, v := range values {
		exact := new(big.Rat).SetFrac(new(big.Int).SetUint64(v), big.NewInt(1<<32))
		if got := string(appendSeconds(nil, v)); got != exact.FloatString(12) {
			t.Fatalf("%d is %s s, want %s", v, got, exact.FloatString(12))
		}
	}
}

// TestDecimalsAreThoseOfC also compares with C's format.
func TestDecimalsAreThoseOfC(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := []float64{0, 1, 0.5, 42, 1514, 1 << 53, 1 << 62, 1 << 63, 1e300, math.MaxFloat64, -7, 1e-9, math.Inf(1), math.NaN()}
	for range 10000 {
		values = append(values, r.NormFloat64()*math.Exp2(float64(r.IntN(100)-20)), float64(r.Uint64()))
	}
	for _, v := range values {
		if got, want := string(appendDecimal(nil, v, 0)), fmt.Sprintf("%f", v); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	if got := string(appendDecimal(nil, 1<<60, -3)); got != fmt.Sprintf("%d.000000", 1<<60-3) {
		t.Errorf("%s", got)
	}
}

// rowBench makes a RES2FILE that writes nowhere. Function 1@1 has a number, 2@1 a time,
// and 3@1 is a STATS.
func rowBench(tb testing.TB, types, functions, interval string) *flibtest.Bench {
	f, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	w := flibtest.NewWorld(tb)
	w.Add(1, 1, 8).Result.Set(123456)
	w.Add(1, 2, 8).Result.Set(1700000000<<32 | 123456789)
	setStats(addStats(w, 1, 3), 1e6, 1e9, 0, 1e12, 0, 1514, 60)
	return w.New(Library(), "RES2FILE", types, functions, "", flib.OpenFile{File: foreigntest.Own(tb, f), Path: "null"}, interval, int64(1))
}

func TestRowsDoNotAllocate(t *testing.T) {
	for _, interval := range []string{"0", "1", "1000s"} {
		b := rowBench(t, "1,2,3,0", "1@1,2@1,3@1,3@1", interval)
		ts := uint64(1 << 40)
		pkts := packetsAt(0, 0)
		if n := testing.AllocsPerRun(1000, func() {
			pkts[0].TS, pkts[1].TS = ts+3, ts+7
			ts += 10
			b.Function.Process(pkts)
		}); n != 0 {
			t.Errorf("interval %s: %v allocations per batch", interval, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { appendDecimal(make([]byte, 0, maxDecimal), math.MaxFloat64/3, 0) }); n != 0 {
		t.Errorf("%v allocations for a large number", n)
	}
	if n := len(appendDecimal(nil, -math.MaxFloat64, 0)); n >= maxDecimal {
		t.Errorf("a number has %d bytes", n)
	}
}

func BenchmarkRes2File(b *testing.B) {
	for _, c := range []struct{ name, types, functions, interval string }{
		{"packet", "1,1,2", "1@1,1@1,2@1", "0"}, {"packet/STATS", "3", "3@1", "0"}, {"period", "1,1,2", "1@1,1@1,2@1", "1s"},
	} {
		b.Run(c.name, func(b *testing.B) {
			fn := rowBench(b, c.types, c.functions, c.interval).Function
			pkts := numbered(256)
			b.ReportAllocs()
			packets := 0
			for b.Loop() {
				fn.Process(pkts)
				packets += len(pkts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}

// pipe makes a pipe with blocking ends.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "reader"), os.NewFile(uintptr(fds[1]), "writer")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}
