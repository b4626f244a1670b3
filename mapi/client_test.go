package mapi_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/mapi"
)

func client(t *testing.T) *mapi.Client {
	c := &mapi.Client{}
	t.Cleanup(func() { c.Close() })
	return c
}

// counting creates a connected flow that counts the packets that match a
// filter.
func counting(t *testing.T, c *mapi.Client, device, filter string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	if filter != "" {
		if _, err := f.Apply(t.Context(), "BPF_FILTER", filter); err != nil {
			t.Fatal(err)
		}
	}
	fn, err := f.Apply(t.Context(), "PKT_COUNTER")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, fn
}

func TestReadingCostsNothing(t *testing.T) {
	_, fn := counting(t, client(t), "net0", "")
	send(packet(0), packet(1))
	if n, err := fn.Uint64(); n != 2 || err != nil {
		t.Errorf("%d packets, %v", n, err)
	}
	if n := testing.AllocsPerRun(100, func() { fn.Uint64() }); n != 0 {
		t.Errorf("%v allocations to read a counter", n)
	}
}

func BenchmarkReadCounter(b *testing.B) {
	c := &mapi.Client{}
	defer c.Close()
	f, err := c.CreateFlow(b.Context(), "net0")
	must(err)
	fn, err := f.Apply(b.Context(), "PKT_COUNTER")
	must(err)
	must(f.Connect(b.Context()))
	b.ReportAllocs()
	for b.Loop() {
		fn.Uint64()
	}
}

func TestResultsAreStamped(t *testing.T) {
	_, fn := counting(t, client(t), "net0", "")
	before := time.Now().Truncate(time.Microsecond)
	r, err := fn.Read()
	if err != nil {
		t.Fatal(err)
	}
	if r.Time().Before(before) || r.Time().After(time.Now()) || r.TS != uint64(r.Time().UnixMicro()) || len(r.Res) != 8 {
		t.Errorf("result %+v taken after %v", r, before)
	}
}

func TestFlowStates(t *testing.T) {
	c := client(t)
	d, err := c.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	f, err := c.CreateFlow(t.Context(), d.Name())
	must(err)
	late, err := c.CreateFlow(t.Context(), d.Name())
	must(err)
	want := func(what string, s mapi.FlowStatus) {
		t.Helper()
		if f.Status() != s {
			t.Errorf("%s: flow is %v, want %v", what, f.Status(), s)
		}
	}
	want("created", mapi.FlowInit)
	wantCode(t, "wait before connect", f.Wait(t.Context()), mapi.ErrFlowNotConnected)
	must(f.Connect(t.Context()))
	want("connected", mapi.FlowActive)
	must(d.Start(t.Context()))
	must(f.Wait(t.Context()))
	want("after the end of the file", mapi.FlowFinished)
	if f.Start().IsZero() || f.End().Before(f.Start()) {
		t.Errorf("flow ran from %v to %v", f.Start(), f.End())
	}
	wantCode(t, "second connect, after the end", f.Connect(t.Context()), mapi.ErrFlowAlreadyActive)
	want("connected twice", mapi.FlowFinished)
	err = late.Connect(t.Context())
	wantCode(t, "first connect after the end", err, mapi.ErrClientConnect)
	if err == nil || !strings.Contains(err.Error(), "the file was read to its end") {
		t.Errorf("%v does not say why", err)
	}
	if late.Status() != mapi.FlowInit {
		t.Errorf("flow that was not connected is %v", late.Status())
	}
	must(f.Close(t.Context()))
	want("closed", mapi.FlowClosed)
	wantCode(t, "wait for a closed flow", f.Wait(t.Context()), mapi.ErrInvalidFlow)
	_, err = f.Apply(t.Context(), "PKT_COUNTER")
	wantCode(t, "apply to a closed flow", err, mapi.ErrInvalidFlow)
	wantCode(t, "second close", f.Close(t.Context()), mapi.ErrInvalidFlow)
}

func TestDeletingADeviceClosesItsFlows(t *testing.T) {
	c := client(t)
	d, err := c.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	f, _ := counting(t, c, d.Name(), "")
	must(d.Delete(t.Context()))
	wantCode(t, "info of the flow", second(f.Info(t.Context())), mapi.ErrInvalidFlow)
	wantCode(t, "second delete", d.Delete(t.Context()), mapi.ErrNoDevice)
}

func second[T any](_ T, err error) error { return err }

func TestOfflineDevicesArePrivate(t *testing.T) {
	mine, other := client(t), client(t)
	d, err := mine.CreateOfflineDevice(t.Context(), "trace.pcap", mapi.FormatPCAP)
	must(err)
	_, err = other.CreateFlow(t.Context(), d.Name())
	wantCode(t, "flow on a foreign offline device", err, mapi.ErrNoDriver)
	devices, err := other.Devices(t.Context())
	must(err)
	for _, dev := range devices {
		if dev.Device == d.Name() {
			t.Error("another client sees the device")
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	f, _ := counting(t, client(t), "net0", "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Wait(ctx) }()
	cancel()
	wantGivenUp(t, "Wait", <-done, context.Canceled)
}

func TestManyClientsAtOnce(t *testing.T) {
	_, before := counting(t, client(t), "net0", "")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c := &mapi.Client{}
			defer c.Close()
			for range 10 {
				d, err := c.CreateOfflineDevice(context.Background(), "trace.pcap", mapi.FormatPCAP)
				if err != nil {
					t.Error(err)
					return
				}
				_, tcp := counting(t, c, d.Name(), "tcp")
				_, all := counting(t, c, d.Name(), "")
				must(d.Start(context.Background()))
				must(d.Wait(context.Background()))
				a, _ := tcp.Uint64()
				b, _ := all.Uint64()
				if a != 3 || b != 5 {
					t.Errorf("%d tcp of %d packets, want 3 of 5", a, b)
				}
				must(d.Delete(context.Background()))
			}
		})
	}
	wg.Wait()
	if _, err := before.Uint64(); err != nil {
		t.Error(err)
	}
}

func TestNoDaemon(t *testing.T) {
	c := &mapi.Client{Socket: filepath.Join(t.TempDir(), "nobody.sock")}
	_, err := c.CreateFlow(t.Context(), "net0")
	wantCode(t, "no socket", err, mapi.ErrCommInitSocket)
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: c.Socket, Net: "unixpacket"})
	must(err)
	l.SetUnlinkOnClose(false)
	l.Close()
	_, err = c.CreateFlow(t.Context(), "net0")
	wantCode(t, "stale socket", err, mapi.ErrCommInitSocket)
}

// TestDaemonThatLies connects to a listener that closes the connection, and to
// one that sends nonsense.
func TestDaemonThatLies(t *testing.T) {
	for _, reply := range []string{"", "\xff\xff\xff nonsense"} {
		socket := filepath.Join(t.TempDir(), "liar.sock")
		l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
		must(err)
		go func() {
			conn, err := l.AcceptUnix()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1000))
			if reply != "" {
				conn.Write([]byte(reply))
			}
			conn.Close()
		}()
		c := &mapi.Client{Socket: socket}
		_, err = c.CreateFlow(t.Context(), "net0")
		wantCode(t, "lying daemon", err, mapi.ErrCommSocket)
		l.Close()
	}
}

// severable returns a Dial, and a function that makes its last connection look
// as if the daemon were gone.
func severable(t *testing.T, socket string) (dial func(context.Context) (*net.UnixConn, error), cut func()) {
	var last *os.File
	t.Cleanup(func() { last.Close() })
	dial = func(context.Context) (*net.UnixConn, error) {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
		if err == nil {
			last.Close()
			last, err = conn.File()
		}
		return conn, err
	}
	return dial, func() { must(unix.Shutdown(int(last.Fd()), unix.SHUT_RDWR)) }
}

func TestLostConnection(t *testing.T) {
	c := client(t)
	var cut func()
	c.Dial, cut = severable(t, os.Getenv("MAPI_SOCKET"))
	f, fn := counting(t, c, "net0", "")
	waiting := make(chan error)
	go func() { waiting <- f.Wait(context.Background()) }()
	cut()
	wantCode(t, "wait", <-waiting, mapi.ErrCommSocket)
	_, err := fn.Uint64()
	wantCode(t, "read", err, mapi.ErrCommSocket)
	_, err = f.Apply(context.Background(), "PKT_COUNTER")
	wantCode(t, "apply", err, mapi.ErrCommSocket)
	_, fn = counting(t, c, "net0", "") // reconnects
	if _, err := fn.Uint64(); err != nil {
		t.Error(err)
	}
}
