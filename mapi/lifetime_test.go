package mapi_test

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testenv"
	"gomapi/internal/wire"
	"gomapi/mapi"
)

// TestDeletedDeviceTakesItsFlowsAlong checks that a handle of a closed flow
// never reads the memory of the flow, because another flow may use it.
func TestDeletedDeviceTakesItsFlowsAlong(t *testing.T) {
	c := client(t)
	d, err := c.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	f, fn := counting(t, c, d.Name(), "")
	must(d.Start(t.Context()))
	must(d.Wait(t.Context()))
	must(d.Delete(t.Context()))
	counting(t, c, "net0", "")
	send(packet(0))
	_, err = fn.Uint64()
	wantCode(t, "counter of the deleted device", err, mapi.ErrInvalidFlow)
	_, err = fn.Read()
	wantCode(t, "result of the deleted device", err, mapi.ErrInvalidFlow)
	if f.Status() != mapi.FlowClosed {
		t.Errorf("flow is %v, want closed", f.Status())
	}
}

func TestWaitersWakeWhenTheirThingGoes(t *testing.T) {
	c := client(t)
	wakes := func(what string, wait func(context.Context) error, end func(context.Context) error, want mapi.Code) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- wait(context.Background()) }()
		must(end(t.Context()))
		wantCode(t, what, <-done, want)
		wantCode(t, what+", again", wait(t.Context()), want)
	}
	device := func() *mapi.OfflineDevice {
		d, err := c.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
		must(err)
		return d
	}
	f, _ := counting(t, c, device().Name(), "")
	wakes("flow that is closed", f.Wait, f.Close, mapi.ErrInvalidFlow)
	d := device()
	f, _ = counting(t, c, d.Name(), "")
	wakes("flow whose device is deleted", f.Wait, d.Delete, mapi.ErrInvalidFlow)
	d = device()
	wakes("device that is deleted", d.Wait, d.Delete, mapi.ErrNoDevice)
}

// TestGivenUpCallsLeaveNothing cancels calls at all moments.
func TestGivenUpCallsLeaveNothing(t *testing.T) {
	c := client(t)
	must(second(c.Libraries(t.Context())))
	for i := range 2000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%200)*time.Microsecond)
		if f, err := c.CreateFlow(ctx, "net0"); err == nil {
			must(f.Close(t.Context()))
		}
		cancel()
	}
	testenv.Until(t, "no flow of its own is left", func() bool {
		flows, err := c.Flows(t.Context())
		must(err)
		return !slices.ContainsFunc(flows, func(f mapi.FlowInfo) bool { return f.FD < 1<<30 })
	})
}

// TestGivenUpChangeSpoilsTheFlow checks that a flow with a canceled change can
// only be closed: it is unknown whether the function was applied, so the flow
// might count something else than its owner thinks.
func TestGivenUpChangeSpoilsTheFlow(t *testing.T) {
	c, silence := silent(t)
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	close(silence)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // long enough to send it
	defer cancel()
	_, err = f.Apply(ctx, "PKT_COUNTER")
	wantCode(t, "given up", err, mapi.ErrCanceled)
	wantCode(t, "connect", f.Connect(t.Context()), mapi.ErrCommSocket)
}

// TestDaemonThatStopsReading checks that such a daemon does not delay a call
// beyond its context.
func TestDaemonThatStopsReading(t *testing.T) {
	c, silence := silent(t)
	close(silence)
	for range 2000 { // exceeds the socket buffer
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		if _, err := c.CreateFlow(ctx, "net0"); err == nil {
			t.Fatal("a silent daemon has answered")
		}
		cancel()
	}
}

// silent returns a client of a daemon that creates flows until silence is
// closed, and then neither reads nor answers.
func silent(t *testing.T) (c *mapi.Client, silence chan struct{}) {
	socket := filepath.Join(t.TempDir(), "silent.sock")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	must(err)
	silence = make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		sock, err := l.AcceptUnix()
		must(err)
		conn, err := wire.NewConn(sock)
		must(err)
		defer conn.Close()
		answer(conn, silence)
		<-t.Context().Done()
	}()
	c = &mapi.Client{Socket: socket}
	t.Cleanup(func() { c.Close(); l.Close(); <-done })
	must(second(c.Libraries(t.Context())))
	return c, silence
}

func answer(conn *wire.Conn, silence chan struct{}) {
	memory := sealed()
	defer memory.Close()
	for {
		var req wire.Request
		if _, err := conn.Receive(&req); err != nil {
			return
		}
		select {
		case <-silence:
			return
		default:
		}
		switch req.Call.(type) {
		case *wire.Request_Hello:
			must(conn.Send(&wire.Response{Id: req.Id, Result: &wire.Response_Welcome{Welcome: &wire.Welcome{}}}, memory))
		case *wire.Request_CreateFlow:
			must(conn.Send(&wire.Response{Id: req.Id, Result: &wire.Response_FlowCreated{
				FlowCreated: &wire.FlowCreated{Fd: 1, Device: "net0", Offset: 8},
			}}))
		default:
			must(conn.Send(&wire.Response{Id: req.Id, Error: &wire.Error{Code: int32(mapi.ErrNotSupported)}}))
		}
	}
}

func TestNumbersAreNeverUsedAgain(t *testing.T) {
	c := client(t)
	f, _ := counting(t, c, "net0", "")
	must(c.Close())
	again, _ := counting(t, c, "net0", "")
	if again.FD() <= f.FD() {
		t.Errorf("flow %d after flow %d", again.FD(), f.FD())
	}
}

func TestLongPathsAreRefused(t *testing.T) {
	path := strings.Repeat("./", 2042) + "trace.pcap"
	_, err := client(t).CreateOfflineDevice(t.Context(), path, mapi.FormatPCAP)
	wantCode(t, "path with no room for the number", err, mapi.ErrFile)
}

type mode int

func TestNamedTypesAreArguments(t *testing.T) {
	f, err := client(t).CreateFlow(t.Context(), "net0")
	must(err)
	type expression string
	_, err = f.Apply(t.Context(), "BPF_FILTER", expression("tcp"))
	wantCode(t, "text of a named type", err, 0)
	_, err = f.Apply(t.Context(), "PKT_COUNTER", mode(3))
	wantCode(t, "number of a named type", err, 0)
	_, err = f.Apply(t.Context(), "BPF_FILTER", nil)
	wantCode(t, "nil", err, mapi.ErrInvalidArgument1)
}

func TestLiveDevicesIgnoreOfflineCalls(t *testing.T) {
	fd, err := mapi.CreateFlow("net0")
	must(err)
	defer mapi.CloseFlow(fd)
	wantCode(t, "delete of a live device", mapi.DeleteOfflineDevice("net0"), 0)
	wantCode(t, "start of a live device", mapi.StartOfflineDevice("net0"), 0)
	wantCode(t, "flow on it", mapi.Connect(fd), 0)
	wantCode(t, "wait for an unknown device", mapi.WaitOfflineDevice("nowhere@1"), mapi.ErrNoDevice)
	_, err = mapi.ApplyFunction(4711, "")
	wantCode(t, "apply nothing to an unknown flow", err, mapi.ErrCouldNotApplyFunction)
	if mapi.Results(nil).Uint64() != 0 {
		t.Error("no results are not 0")
	}
}
