package mapi_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// applied creates a flow with one function, not connected.
func applied(t *testing.T, c *mapi.Client, name string, args ...any) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	fn, err := f.Apply(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return f, fn
}

// TestWaysToRefer counts packet lengths over the same function, with all kinds
// of references.
func TestWaysToRefer(t *testing.T) {
	f, size := applied(t, client(t), "PKTINFO", mapi.PktSize)
	var dists []*mapi.Function
	for _, target := range [][]any{
		{size}, {[]*mapi.Function{size}}, {f, size.FID()}, {[]*mapi.Flow{f}, size.FID()}, {f.FD(), size.FID()},
	} {
		d, err := f.Apply(t.Context(), "stdflib:DIST", append(target, "60", "80", "10")...)
		must(err)
		dists = append(dists, d)
	}
	must(f.Connect(t.Context()))
	send(packet(0), packet(1), packet(1), packet(2)) // 60, 70, 70 and 80 bytes
	for i, d := range dists {
		r, err := d.Read()
		must(err)
		if got, ok := result.ParseDist(r.Res); !ok || got.Counts[0] != 1 || got.Counts[1] != 2 || got.Counts[2] != 1 {
			t.Errorf("way %d: %+v", i, got)
		}
	}
}

// TestReferencesToNothing gives each function with references a target that
// does not exist.
func TestReferencesToNothing(t *testing.T) {
	c, other := client(t), client(t)
	f, target := applied(t, c, "PKT_COUNTER")
	_, foreign := applied(t, other, "PKT_COUNTER")
	closed, gone := applied(t, c, "PKT_COUNTER")
	must(closed.Close(t.Context()))
	filter, err := f.Apply(t.Context(), "BPF_FILTER", "tcp")
	must(err)
	series, err := f.Apply(t.Context(), "BUCKET", target, "1s", 0)
	must(err)
	elsewhere, err := c.CreateFlow(t.Context(), "spare")
	must(err)
	for _, call := range []struct {
		name string
		at   int // index of the target
		args []any
		want mapi.Code
	}{
		{"BINOP", 1, []any{mapi.BinopAdd, nil, target}, mapi.ErrInvalidArgument2},
		{"BINOP", 2, []any{mapi.BinopAdd, target, nil}, mapi.ErrInvalidArgument4},
		{"BUCKET", 0, []any{nil, "1s", 0}, mapi.ErrInvalidArgument2},
		{"DIST", 0, []any{nil, "0", "10", "1"}, mapi.ErrInvalidArgument1},
		{"STATS", 0, []any{nil, "0"}, mapi.ErrInvalidArgument1},
		{"THRESHOLD", 1, []any{mapi.ThresholdUint64, nil, 1, mapi.BoundaryAbove, 0}, mapi.ErrInvalidArgument2},
	} {
		for what, ref := range map[string][]any{
			"missing function":        {f.FD(), 4711},
			"missing flow":            {4711, target.FID()},
			"later function":          {f.FD(), series.FID() + 1000},
			"function of a closed":    {gone},
			"function in wrong flow":  {elsewhere, target.FID()},
			"numbers that are bad":    {-1, -1},
			"function with no result": {filter},
			"function with a series":  {series},
		} {
			args := slices.Concat(call.args[:call.at], ref, call.args[call.at+1:])
			_, err := f.Apply(t.Context(), call.name, args...)
			wantCode(t, call.name+" of a "+what, err, call.want)
		}
		args := slices.Clone(call.args)
		args[call.at] = foreign
		_, err := f.Apply(t.Context(), call.name, args...)
		place := [...]mapi.Code{mapi.ErrInvalidArgument1, mapi.ErrInvalidArgument2, mapi.ErrInvalidArgument4}[call.at]
		wantCode(t, call.name+" of another client's function", err, place)
	}
	if info, err := f.Info(t.Context()); err != nil || info.Functions != 3 {
		t.Errorf("%d functions after rejected ones, %v", info.Functions, err)
	}
}

// TestBadReferences checks that invalid references never reach the daemon as
// something else.
func TestBadReferences(t *testing.T) {
	c, other := client(t), client(t)
	f, fn := applied(t, c, "PKT_COUNTER")
	foreign, _ := applied(t, other, "PKT_COUNTER")
	one, two := mapi.ErrInvalidArgument1, mapi.ErrInvalidArgument2
	for _, call := range []struct {
		what, name string
		args       []any
		want       mapi.Code
	}{
		{"nil function", "STATS", []any{(*mapi.Function)(nil), "0"}, one},
		{"nil flow", "STATS", []any{(*mapi.Flow)(nil), 1, "0"}, one},
		{"no functions", "STATS", []any{[]*mapi.Function{}, "0"}, one},
		{"two functions for one", "STATS", []any{[]*mapi.Function{fn, fn}, "0"}, one},
		{"two flows for one", "STATS", []any{[]*mapi.Flow{f, f}, 1, "0"}, one},
		{"flow where its function goes", "STATS", []any{f.FD(), f, "0"}, two},
		{"function where only its number goes", "STATS", []any{f.FD(), fn, "0"}, two},
		{"nil among flows", "SYNC", []any{[]*mapi.Flow{f, nil}}, one},
		{"no flows", "SYNC", []any{[]*mapi.Flow(nil)}, one},
		{"flow of another client", "SYNC", []any{[]*mapi.Flow{f, foreign}}, one},
		{"function for a flow", "SYNC", []any{fn}, one},
		{"flow that is no filter", "BPF_FILTER", []any{f}, one},
		{"flow that is no pattern", "STR_SEARCH", []any{f, 0, 0}, one},
		{"function that is no number", "SAMPLE", []any{2, fn}, two},
		{"function that is no file", "TO_FILE", []any{0, fn}, two},
		{"flows for functions", "RES2FILE", []any{"1", f, "", "rows", "1s", 0}, two},
		{"nil among functions", "RES2FILE", []any{"1,1", []*mapi.Function{fn, nil}, "", "rows", "1s", 0}, two},
		{"more functions than types", "RES2FILE", []any{"1", []*mapi.Function{fn, fn}, "", "rows", "1s", 0}, one},
		{"too much", "GAP", []any{fn}, one},
		{"nothing at all", "NO_SUCH_FUNCTION", []any{fn}, mapi.ErrFunctionNotFound},
		{"nothing in that library", "nolib:STATS", []any{fn, "0"}, mapi.ErrFunctionNotFound},
		{"right", "SYNC", []any{f}, 0},
		{"right list", "SYNC", []any{[]*mapi.Flow{f, f}}, 0},
		{"one function", "RES2FILE", []any{"1", fn, "", "rows", "1s", 0}, 0},
		{"a list of functions", "RES2FILE", []any{"1,1", []*mapi.Function{fn, fn}, "", "rows", "1s", 0}, 0},
		{"surplus that is ignored", "PKT_COUNTER", []any{fn, f}, 0},
	} {
		_, err := f.Apply(t.Context(), call.name, call.args...)
		wantCode(t, call.name+" with "+call.what, err, call.want)
	}
	must(c.Close())
	again, _ := applied(t, c, "PKT_COUNTER")
	_, err := again.Apply(t.Context(), "STATS", fn, "0")
	wantCode(t, "function of the connection before", err, one)
}

// TestArgumentsAsText has a valid and an invalid call for each letter.
func TestArgumentsAsText(t *testing.T) {
	f, fn := applied(t, client(t), "PKT_COUNTER")
	fd, fid := itoa(f.FD()), itoa(fn.FID())
	file := filepath.Join(t.TempDir(), "out.pcap")
	for _, call := range []struct {
		name string
		args []string
		want mapi.Code
	}{
		{"PKT_COUNTER", nil, 0},
		{"PKT_COUNTER", []string{"more", "than", "it", "takes"}, 0},
		{"BPF_FILTER", []string{"tcp"}, 0},
		{"BPF_FILTER", nil, mapi.ErrInvalidArgument1},
		{"BPF_FILTER", []string{"tcp", "udp"}, mapi.ErrInvalidArgument2},
		{"SAMPLE", []string{"10", "2"}, 0},
		{"SAMPLE", []string{"0xa", "0x2"}, 0},
		{"SAMPLE", []string{"-1", "3"}, 0},
		{"SAMPLE", []string{"-2147483648", "2147483647"}, 0},
		{"SAMPLE", []string{"", "2"}, mapi.ErrInvalidArgument1},
		{"SAMPLE", []string{"1_0", "2"}, mapi.ErrInvalidArgument1},
		{"SAMPLE", []string{"10", "two"}, mapi.ErrInvalidArgument2},
		{"SAMPLE", []string{"10", "2147483648"}, mapi.ErrInvalidArgument2},
		{"SAMPLE", []string{"10", "--2"}, mapi.ErrInvalidArgument2},
		{"SAMPLE", []string{"10"}, mapi.ErrInvalidArgument2},
		{"TO_FILE", []string{"0", file, "18446744073709551615"}, 0},
		{"TO_FILE", []string{"0", file, "-1"}, mapi.ErrInvalidArgument3},
		{"TO_FILE", []string{"0", file, "0x1ffffffffffffffff"}, mapi.ErrInvalidArgument3},
		{"TO_FILE", []string{"0", filepath.Join(file, "beyond"), "1"}, mapi.ErrFile},
		{"STATS", []string{fd, fid, "0"}, 0},
		{"STATS", []string{fd, fid, "0", "more"}, mapi.ErrInvalidArgument4},
		{"STATS", []string{fd, "counter", "0"}, mapi.ErrInvalidArgument2},
		{"STATS", []string{"4711", fid, "0"}, mapi.ErrInvalidArgument1},
		{"THRESHOLD", []string{"2", fd, fid, "0xffffffffffffffff", "1", "0", "1", "0"}, 0},
		{"THRESHOLD", []string{"ThresholdUint64+TR_MW", fd, fid, "1", "mapi.BoundaryAbove", "1000000", "10", "0"}, 0},
		{"THRESHOLD", []string{"2", fd, fid, "-1", "1", "0", "1", "0"}, mapi.ErrInvalidArgument4},
		{"SAMPLE", []string{"20", "periodic"}, mapi.ErrInvalidArgument2},
		{"SAMPLE", []string{"2147483648", "PERIODIC"}, mapi.ErrInvalidArgument1},
		{"SYNC", []string{fd + ", " + fd}, 0},
		{"RES2FILE", []string{"1,1", fid + "@" + fd + ", " + fid + "@" + fd, "head", file, "5s", "1"}, 0},
		{"RES2FILE", []string{"1", fid, "head", file, "5s", "1"}, mapi.ErrInvalidArgument2},
		{"RES2FILE", []string{"1", fid + "@4711", "head", file, "5s", "1"}, mapi.ErrInvalidArgument2},
		{"RES2FILE", []string{"1", fid + "@" + fd, "head", file, "5s", "yes"}, mapi.ErrInvalidArgument6},
		{"NO_SUCH_FUNCTION", []string{"1"}, mapi.ErrFunctionNotFound},
		{"", nil, mapi.ErrCouldNotApplyFunction},
	} {
		_, err := f.ApplyArray(t.Context(), call.name, call.args)
		wantCode(t, call.name+" with text", err, call.want)
	}
	must(f.Connect(t.Context()))
	_, err := f.ApplyArray(t.Context(), "STATS", []string{fd, fid, "0"})
	wantCode(t, "connected", err, mapi.ErrCouldNotApplyFunction)
	must(f.Close(t.Context()))
	_, err = f.ApplyArray(t.Context(), "PKT_COUNTER", nil)
	wantCode(t, "closed", err, mapi.ErrInvalidFlow)
}

// TestNumbersAsTextAreDecimal checks that a leading zero has no meaning.
func TestNumbersAsTextAreDecimal(t *testing.T) {
	f, err := client(t).CreateFlow(t.Context(), "net0")
	must(err)
	_, err = f.ApplyArray(t.Context(), "SAMPLE", []string{"010", "2"})
	must(err)
	passed, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	must(f.Connect(t.Context()))
	for range 20 {
		send(packet(0))
	}
	if n, err := passed.Uint64(); n != 2 || err != nil {
		t.Errorf("%d of 20 packets passed, %v, want each tenth", n, err)
	}
}

func TestApplyFunctionArray(t *testing.T) {
	fd, err := mapi.CreateFlow("net0")
	must(err)
	size, err := mapi.ApplyFunctionArray(fd, "PKTINFO", []string{"1"})
	must(err)
	stats, err := mapi.ApplyFunctionArray(fd, "STATS", []string{itoa(fd), itoa(size), "0"})
	must(err)
	_, err = mapi.ApplyFunctionArray(fd, "PKTINFO", []string{"x"})
	wantCode(t, "no number", err, mapi.ErrInvalidArgument1)
	_, err = mapi.ApplyFunctionArray(4711, "PKTINFO", []string{"1"})
	wantCode(t, "no flow", err, mapi.ErrInvalidFlow)
	_, err = mapi.ApplyFunctionArray(-1, "PKTINFO", []string{"1"})
	wantCode(t, "bad flow", err, mapi.ErrInvalidFunction)
	must(mapi.Connect(fd))
	send(packet(0), packet(2))
	r, err := mapi.ReadResults(fd, stats)
	must(err)
	if s, ok := result.ParseStats(r[0].Res); !ok || s.Count != 2 || s.Min != 60 || s.Max != 80 {
		t.Errorf("%+v", s)
	}
	must(mapi.CloseFlow(fd))
}

// TestCatalogKeepsNobodyWaiting checks that a call that queries a silent daemon
// does not delay another call beyond its context.
func TestCatalogKeepsNobodyWaiting(t *testing.T) {
	c, silence := silent(t)
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	close(silence)
	first, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- second(f.Apply(first, "BPF_FILTER", "tcp")) }()
	over, end := context.WithCancel(t.Context())
	end()
	_, err = f.Apply(over, "BPF_FILTER", "tcp")
	wantCode(t, "call that has no time", err, mapi.ErrCanceled)
	cancel()
	wantCode(t, "call that waits", <-done, mapi.ErrCanceled)
}
