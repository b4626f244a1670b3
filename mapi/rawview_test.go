package mapi_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/rawview"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// TestRawView reads like another language: the words of the result, and the
// record of a packet after the header of the ring.
func TestRawView(t *testing.T) {
	f, err := client(t).CreateOfflineFlow(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	counter, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	buffer, err := f.Apply(t.Context(), "TO_BUFFER", mapi.NoWait)
	must(err)
	series, err := f.Apply(t.Context(), "BUCKET", counter, "0", 0)
	must(err)
	must(f.Connect(t.Context()))
	must(f.Wait(t.Context()))

	word := binary.NativeEndian.Uint64
	at, err := rawview.OfFunction(counter)
	if err != nil || at.Size != 8 || word(at.Result[8:]) != 5 || at.Ring != nil || at.Socket != nil {
		t.Errorf("counter: %+v, %v", at, err)
	}
	if status := word(rawview.OfFlow(f)); status != uint64(mapi.FlowFinished) {
		t.Errorf("status %d", status)
	}
	at, err = rawview.OfFunction(buffer)
	if err != nil || at.Series || !at.NoWait || len(at.Page) != 4096 {
		t.Fatalf("buffer: %v, %v, %v, %d", err, at.Series, at.NoWait, len(at.Page))
	}
	defer at.Free()
	defer at.Socket.Close()
	if n := binary.NativeEndian.Uint32(at.Ring[4096+12:]); int(n) != len(packet(0)) {
		t.Errorf("the first packet has %d bytes", n)
	}
	flags, err := unix.FcntlInt(at.Socket.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("socket flags %#x, %v", flags, err)
	}
	at, err = rawview.OfFunction(series)
	if err != nil || !at.Series || at.Size != 16 || at.Result != nil {
		t.Fatalf("series: %v, %v, %d", err, at.Series, at.Size)
	}
	at.Socket.Close()
	defer at.Free()
	if _, err := rawview.OfFunction(series); !errors.Is(err, mapi.ErrReaderSem) {
		t.Errorf("twice: %v", err)
	}
	must(f.Close(t.Context()))
	if _, err := rawview.OfFunction(buffer); !errors.Is(err, mapi.ErrInvalidFlow) {
		t.Errorf("of a closed flow: %v", err)
	}
}

func TestLost(t *testing.T) {
	c := client(t)
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	select {
	case <-rawview.Lost(f):
		t.Error("the entry is lost")
	default:
	}
	c.Close()
	<-rawview.Lost(f)
}

func TestArgDescr(t *testing.T) {
	f, err := client(t).CreateFlow(t.Context(), "net0")
	must(err)
	for name, want := range map[string]struct {
		letters  string
		original int
	}{"STR_SEARCH": {"sii", 3}, "stdflib:TO_FILE!1": {"iwl", 3}, "NONE": {}, "BURST": {"iiiiiiii", 7}} {
		letters, original, err := rawview.ArgDescr(t.Context(), f, name)
		if err != nil || letters != want.letters || original != want.original {
			t.Errorf("%s: %q, %d of the original, %v", name, letters, original, err)
		}
	}
}

func TestNextInfo(t *testing.T) {
	c := client(t)
	for range 3 {
		f, err := c.CreateFlow(t.Context(), "net0")
		must(err)
		for range 2 {
			_, err := f.Apply(t.Context(), "PKT_COUNTER")
			must(err)
		}
	}
	if next, err := rawview.NextFlow(t.Context(), c, 1); err != nil || next.(mapi.FlowInfo).FD != 2 {
		t.Errorf("%+v, %v", next, err)
	}
	both, err := c.FlowFunctions(t.Context(), 2)
	if err != nil || len(both) != 2 {
		t.Fatalf("%+v, %v", both, err)
	}
	second, err := rawview.NextFunction(t.Context(), c, 2, both[0].FID)
	if err != nil || second.(mapi.FunctionInfo).FID != both[1].FID {
		t.Errorf("%+v, %v", second, err)
	}
	if _, err := rawview.NextFunction(t.Context(), c, 2, both[1].FID); !errors.Is(err, mapi.ErrFunctionInfo) {
		t.Errorf("after the last: %v", err)
	}
	if f, err := c.FlowInfo(t.Context(), 3); err != nil || f.FD != 3 || f.Functions != 2 {
		t.Errorf("flow 3: %+v, %v", f, err)
	}
	if fn, err := c.FunctionInfo(t.Context(), 2, both[1].FID); err != nil || !reflect.DeepEqual(fn, both[1]) {
		t.Errorf("second function: %+v, %v", fn, err)
	}
}

// TestNumbersOfWhatIsNotThere closes the last flow, which is unknown
// afterwards.
func TestNumbersOfWhatIsNotThere(t *testing.T) {
	c, ctx := mapitest.Start(t).Client(), t.Context()
	first, err := c.CreateFlow(ctx, "eth0")
	must(err)
	last, err := c.CreateFlow(ctx, "eth0")
	must(err)
	after := func(fd int) error { _, err := rawview.NextFlow(ctx, c, fd); return err }
	functions := func(fd int) error { _, err := rawview.NextFunction(ctx, c, fd, 0); return err }
	wantCode(t, "after the last flow", after(last.FD()), mapi.ErrFlowInfo)
	wantCode(t, "of a flow without functions", functions(last.FD()), mapi.ErrFunctionInfo)
	must(last.Close(ctx))
	wantCode(t, "after a closed flow", after(last.FD()), mapi.ErrInvalidFlow)
	wantCode(t, "functions of a closed flow", functions(last.FD()), mapi.ErrNotInitialized)
	_, err = c.FunctionInfo(ctx, last.FD(), 1)
	wantCode(t, "function of a closed flow", err, mapi.ErrNotInitialized)
	_, err = c.FlowInfo(ctx, last.FD())
	wantCode(t, "closed flow", err, mapi.ErrInvalidFlow)
	wantCode(t, "after the flow that is left", after(first.FD()), mapi.ErrFlowInfo)
	must(first.Close(ctx))
	wantCode(t, "no flow", after(0), mapi.ErrFlowInfo)
	wantCode(t, "no flow, negative", after(-3), mapi.ErrFlowInfo)
	if all, err := c.Flows(ctx); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	if all, err := c.FlowFunctions(ctx, last.FD()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}
