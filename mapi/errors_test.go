package mapi_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"gomapi/internal/rawview"
	"gomapi/mapi"
)

// wantGivenUp checks the error of a call whose context has ended.
func wantGivenUp(t *testing.T, what string, err, cause error) {
	t.Helper()
	wantCode(t, what, err, mapi.ErrCanceled)
	if !errors.Is(err, cause) || !errors.Is(err, mapi.ErrCanceled) || errors.Is(err, mapi.ErrCommSocket) {
		t.Errorf("%s: %v is not %v", what, err, cause)
	}
}

// wantOwnClose checks the error of a call on an object that the program has
// closed.
func wantOwnClose(t *testing.T, what string, err error) {
	t.Helper()
	wantCode(t, what, err, mapi.ErrInvalidFlow)
	if !errors.Is(err, os.ErrClosed) || !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "closed by this program") {
		t.Errorf("%s: %v does not say that the program has closed it", what, err)
	}
}

// TestEndedContexts checks that a canceled call does not break the connection,
// in any state of the client.
func TestEndedContexts(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	fresh := client(t)
	wantGivenUp(t, "first call", second(fresh.CreateFlow(over, "net0")), context.Canceled)
	wantGivenUp(t, "first call, too late", second(fresh.Devices(late)), context.DeadlineExceeded)
	fresh.Dial = func(ctx context.Context) (*net.UnixConn, error) { return nil, errors.New("no line") }
	wantGivenUp(t, "own Dial", second(fresh.CreateFlow(over, "net0")), context.Canceled)
	wantCode(t, "own Dial that fails", second(fresh.CreateFlow(t.Context(), "net0")), mapi.ErrCommSocket)

	c := client(t)
	f, fn := counting(t, c, "net0", "")
	_, buffer := buffered(t, c, "net0")
	d, err := c.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	for what, call := range map[string]func(context.Context) error{
		"create":  func(ctx context.Context) error { return second(c.CreateFlow(ctx, "net0")) },
		"apply":   func(ctx context.Context) error { return second(f.Apply(ctx, "PKT_COUNTER")) },
		"array":   func(ctx context.Context) error { return second(f.ApplyArray(ctx, "PKT_COUNTER", nil)) },
		"info":    func(ctx context.Context) error { return second(fn.Info(ctx)) },
		"wait":    f.Wait,
		"device":  d.Wait,
		"start":   d.Start,
		"packet":  func(ctx context.Context) error { return second(buffer.Next(ctx)) },
		"letters": func(ctx context.Context) error { _, _, err := rawview.ArgDescr(ctx, f, "SAMPLE"); return err },
	} {
		wantGivenUp(t, what, call(over), context.Canceled)
		wantGivenUp(t, what+", too late", call(late), context.DeadlineExceeded)
	}
	must(second(fn.Uint64())) // the flow is undamaged
}

// TestOwnClose checks that objects closed by the program are not reported as
// closed by the daemon.
func TestOwnClose(t *testing.T) {
	c := client(t)
	f, fn := counting(t, c, "net0", "")
	must(f.Close(t.Context()))
	wantOwnClose(t, "second close", f.Close(t.Context()))
	wantOwnClose(t, "read of a closed flow", second(fn.Uint64()))
	wantOwnClose(t, "apply to a closed flow", second(f.Apply(t.Context(), "PKT_COUNTER")))
	wantOwnClose(t, "connect of a closed flow", f.Connect(t.Context()))

	f, fn = counting(t, c, "net0", "")
	_, buffer := buffered(t, c, "net0")
	d, err := c.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	waiting := make(chan error, 3)
	go func() { waiting <- f.Wait(context.Background()) }()
	go func() { waiting <- d.Wait(context.Background()) }()
	go func() { waiting <- second(buffer.Next(context.Background())) }()
	must(c.Close())
	for range 3 {
		wantOwnClose(t, "waiter", <-waiting)
	}
	if f.Status() != mapi.FlowClosed {
		t.Errorf("the flow is %v", f.Status())
	}
	wantOwnClose(t, "read", second(fn.Uint64()))
	wantOwnClose(t, "read all", second(fn.Read()))
	wantOwnClose(t, "info", second(f.Info(t.Context())))
	wantOwnClose(t, "close", f.Close(t.Context()))
	wantOwnClose(t, "start", d.Start(t.Context()))
	wantOwnClose(t, "delete", d.Delete(t.Context()))
}
