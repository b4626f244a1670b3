package daemon

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/engine"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/leak"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
	"gomapi/internal/wire"
)

func TestMain(m *testing.M) { leak.Main(m) }

// options returns the options of a daemon with one fake device "net0".
func options(t *testing.T, socket string) (Options, *fake.Source) {
	t.Helper()
	drv := &fake.Driver{}
	source := drv.Add("net0", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 65535})
	var reg drivers.Registry
	reg.Add("fake", drv)
	reg.AddFormat(drivers.FormatPCAP, offline.Driver{})
	log := logrus.New()
	log.SetOutput(io.Discard)
	cfg := &config.Config{Devices: []config.Device{
		{Name: "net0", Driver: "fake", Alias: config.DefaultAlias},
		{Name: "combo", Driver: "mapicombo6drv", Alias: config.DefaultAlias},
		{Name: "dag0", Driver: "mapidagdrv", Alias: config.DefaultAlias},
	}}
	return Options{
		Socket: socket, Config: cfg, Drivers: &reg, Functions: flib.NewRegistry(stdflib.Library()),
		Compiler: libpcap.InProcess{}, Log: log, Version: "test",
	}, source
}

// start runs a daemon until the test ends. It returns when the daemon listens.
func start(t *testing.T, o Options) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	o.Ready = func() { close(ready) }
	go func() { done <- Run(ctx, o) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		stopped = true
		t.Fatal(err)
	}
	return stop
}

func listening(t *testing.T) (socket string, source *fake.Source) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "mapid.sock")
	o, source := options(t, socket)
	start(t, o)
	return socket, source
}

// conversation makes a connection from a socket.
func conversation(t *testing.T, sock *net.UnixConn) *wire.Conn {
	t.Helper()
	c, err := wire.NewConn(sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func dial(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// program is a client that sends protocol messages directly.
type program struct {
	t    *testing.T
	conn *wire.Conn
	id   uint64
}

func greeted(t *testing.T, socket string) *program {
	t.Helper()
	p := &program{t: t, conn: conversation(t, dial(t, socket))}
	resp := p.call(&wire.Request{Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}})
	if resp.GetWelcome() == nil {
		t.Fatalf("answer to hello is %v", resp)
	}
	return p
}

func (p *program) call(req *wire.Request, files ...*os.File) *wire.Response {
	p.t.Helper()
	p.id++
	req.Id = p.id
	if err := p.conn.Send(req, files...); err != nil {
		p.t.Fatal(err)
	}
	for {
		resp := &wire.Response{}
		got, err := p.conn.Receive(resp)
		if err != nil {
			p.t.Fatal(err)
		}
		wire.CloseAll(got.Files())
		if resp.Id == req.Id {
			return resp
		}
	}
}

func create(device string) *wire.Request {
	return &wire.Request{Call: &wire.Request_CreateFlow{CreateFlow: &wire.CreateFlow{Device: device}}}
}

func wantError(t *testing.T, what string, resp *wire.Response, code mapierr.Code) {
	t.Helper()
	if got := mapierr.Code(resp.GetError().GetCode()); got != code {
		t.Errorf("%s: error %d %q, want %d", what, int(got), resp.GetError().GetText(), int(code))
	}
}

// ended waits until the daemon closes the connection.
func ended(t *testing.T, c *wire.Conn) {
	t.Helper()
	for {
		fds, err := c.Receive(&wire.Response{})
		wire.CloseAll(fds.Files())
		if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoDaemonsOnOneSocket(t *testing.T) {
	socket, _ := listening(t)
	o, _ := options(t, socket)
	if err := Run(t.Context(), o); err == nil {
		t.Error("second daemon took the socket")
	}
	greeted(t, socket)
}

func TestStaleSocketIsReplaced(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "mapid.sock")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close() // like a daemon that was killed
	o, _ := options(t, socket)
	start(t, o)
	greeted(t, socket)
}

func TestOtherFilesAreNotReplaced(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(socket, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, _ := options(t, socket)
	if err := Run(t.Context(), o); err == nil {
		t.Error("the daemon replaced a file")
	}
	if b, err := os.ReadFile(socket); err != nil || string(b) != "data" {
		t.Errorf("file is now %q, %v", b, err)
	}
}

func TestStopIsComplete(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "mapid.sock")
	o, _ := options(t, socket)
	stop := start(t, o)
	p := greeted(t, socket)
	if resp := p.call(create("net0")); resp.Error != nil {
		t.Fatal(resp.Error)
	}
	testenv.Within(t, "stopping", func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket is still there: %v", err)
	}
	ended(t, p.conn)
}

// absent is a driver whose devices do not exist.
type absent struct{ *fake.Driver }

func (absent) Find(c drivers.Config) error {
	return mapierr.New(mapierr.PcapOpen, "there is no %s", c.Device)
}

func TestAbsentDevices(t *testing.T) {
	o, _ := options(t, filepath.Join(t.TempDir(), "mapid.sock"))
	o.Drivers.Add("absent", absent{&fake.Driver{}})
	o.Config.Devices = []config.Device{{Name: "net0", Driver: "fake"}, {Name: "net1", Driver: "absent"}}
	start(t, o)
	resp := greeted(t, o.Socket).call(&wire.Request{Call: &wire.Request_Devices{Devices: &wire.DeviceQuery{Id: -1, Next: true, Limit: 10}}})
	devices := resp.GetDevices().GetDevices()
	if len(devices) != 2 || devices[0].Unavailable != "" || devices[1].Unavailable != "there is no net1" {
		t.Errorf("devices are %v", devices)
	}
}

func TestUnavailableDevices(t *testing.T) {
	socket, _ := listening(t)
	p := greeted(t, socket)
	for _, name := range []string{"combo", "dag0", "nothing"} {
		wantError(t, name, p.call(create(name)), mapierr.NoDriver)
	}
	resp := p.call(&wire.Request{Call: &wire.Request_Devices{Devices: &wire.DeviceQuery{Id: -1, Next: true, Limit: 10}}})
	devices := resp.GetDevices().GetDevices()
	if len(devices) != 3 || devices[0].Unavailable != "" || devices[1].Unavailable == "" || devices[2].Unavailable == "" {
		t.Errorf("devices are %v", devices)
	}
}

func TestProtocolBreachesEndTheConnectionOnly(t *testing.T) {
	socket, _ := listening(t)
	steady := greeted(t, socket)
	send := func(c *net.UnixConn, r *wire.Request) {
		b, _ := proto.Marshal(r)
		c.Write(b)
	}
	breaches := map[string]func(c *net.UnixConn){
		"random bytes":     func(c *net.UnixConn) { c.Write([]byte("\xff\xfe\xfdGET / HTTP/1.0")) },
		"empty record":     func(c *net.UnixConn) { c.Write(nil) },
		"oversized record": func(c *net.UnixConn) { c.Write(make([]byte, wire.MaxMessage+1)) },
		"no hello":         func(c *net.UnixConn) { send(c, create("net0")) },
		"other version": func(c *net.UnixConn) {
			send(c, &wire.Request{Id: 1, Call: &wire.Request_Hello{Hello: &wire.Hello{Version: 99}}})
		},
		"no id": func(c *net.UnixConn) {
			send(c, &wire.Request{Id: 1, Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}})
			send(c, &wire.Request{Call: &wire.Request_Connect{Connect: &wire.Connect{Fd: 1}}})
		},
		"too many descriptors": func(c *net.UnixConn) {
			send(c, &wire.Request{Id: 1, Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}})
			c.Read(make([]byte, wire.MaxMessage)) // the kernel refuses descriptors before the welcome
			fds := make([]int, 100)
			for i := range fds {
				fds[i] = 0
			}
			c.WriteMsgUnix([]byte{1}, unix.UnixRights(fds...), nil)
		},
	}
	for name, breach := range breaches {
		t.Run(name, func(t *testing.T) {
			c := dial(t, socket)
			breach(c)
			if name == "empty record" {
				c.Close() // not every kernel sends it for SOCK_SEQPACKET
				return
			}
			ended(t, conversation(t, c))
		})
	}
	if resp := steady.call(create("net0")); resp.Error != nil {
		t.Errorf("another client is affected: %v", resp.Error)
	}
}

func TestUnknownCallsAndArguments(t *testing.T) {
	socket, _ := listening(t)
	p := greeted(t, socket)
	wantError(t, "request without a call", p.call(&wire.Request{}), mapierr.CommUnknown)
	wantError(t, "second hello", p.call(&wire.Request{Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}}), mapierr.CommUnknown)
	fd := p.call(create("net0")).GetFlowCreated().GetFd()
	apply := func(name string, args ...*wire.Value) *wire.Response {
		return p.call(&wire.Request{Call: &wire.Request_ApplyFunction{
			ApplyFunction: &wire.ApplyFunction{Fd: fd, Name: name, Args: args},
		}})
	}
	text := func(s string) *wire.Value { return &wire.Value{Kind: &wire.Value_Text{Text: []byte(s)}} }
	wantError(t, "argument without a kind", apply("BPF_FILTER", &wire.Value{}), mapierr.InvalidArgument1)
	wantError(t, "NUL in an argument", apply("BPF_FILTER", text("tcp\x00udp")), mapierr.InvalidArgument1)
	wantError(t, "bytes that are no text", apply("BPF_FILTER", text("\xff\xfe")), mapierr.PcapBPF)
	wantError(t, "long function name", apply(string(make([]byte, 300))), mapierr.FunctionNotFound)
	wantError(t, "offline device without a file", p.call(&wire.Request{Call: &wire.Request_CreateOfflineDevice{
		CreateOfflineDevice: &wire.CreateOfflineDevice{Path: "x"},
	}}), mapierr.NoFD)
}

// TestClientsThatVanish ends clients with open flows in many ways. The daemon
// must remove these flows at once.
func TestClientsThatVanish(t *testing.T) {
	socket, source := listening(t)
	witness := greeted(t, socket)
	for range 20 {
		c := greeted(t, socket)
		fd := c.call(create("net0")).GetFlowCreated().GetFd()
		c.call(&wire.Request{Call: &wire.Request_Connect{Connect: &wire.Connect{Fd: fd}}})
		c.conn.Send(create("net0")) // the client does not read the answer
		c.conn.Close()
	}
	testenv.Until(t, "no flow is left", func() bool {
		resp := witness.call(&wire.Request{Call: &wire.Request_Flows{Flows: &wire.FlowQuery{Next: true, Limit: 100}}})
		return resp.Error != nil
	})
	if source.Open() != 1 {
		t.Errorf("%d devices are open, want the one that lingers", source.Open())
	}
}

func TestPrivateDaemonEndsWithItsClient(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := options(t, "")
	o.Conn = unixConn(t, fds[0])
	done := make(chan error, 1)
	go func() { done <- Run(context.Background(), o) }()
	p := &program{t: t, conn: conversation(t, unixConn(t, fds[1]))}
	p.call(&wire.Request{Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}})
	p.conn.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestQueriesComeInPages(t *testing.T) {
	socket, _ := listening(t)
	p := greeted(t, socket)
	for range 50 {
		p.call(create("net0"))
	}
	var seen []int32
	for after := int32(0); ; {
		resp := p.call(&wire.Request{Call: &wire.Request_Flows{Flows: &wire.FlowQuery{Fd: after, Next: true, Limit: 7}}})
		if resp.Error != nil {
			wantError(t, "end of the list", resp, mapierr.FlowInfo)
			break
		}
		flows := resp.GetFlows().GetFlows()
		if len(flows) > 7 {
			t.Fatalf("page of %d entries, 7 were asked for", len(flows))
		}
		for _, f := range flows {
			seen = append(seen, f.Fd)
			after = f.Fd
		}
	}
	for i, fd := range seen {
		if fd != int32(i+1) {
			t.Fatalf("flow %d at place %d", fd, i)
		}
	}
	if len(seen) != 50 {
		t.Errorf("%d flows listed, want 50", len(seen))
	}
}

// TestQueriesThatFindNothing checks that error codes distinguish the end of a
// list from an unknown number.
func TestQueriesThatFindNothing(t *testing.T) {
	socket, _ := listening(t)
	p, other := greeted(t, socket), greeted(t, socket)
	flows := func(fd int32, next bool) *wire.Response {
		return p.call(&wire.Request{Call: &wire.Request_Flows{Flows: &wire.FlowQuery{Fd: fd, Next: next}}})
	}
	functions := func(fd, fid int32, next bool) *wire.Response {
		return p.call(&wire.Request{Call: &wire.Request_Functions{Functions: &wire.FunctionQuery{Fd: fd, Fid: fid, Next: next}}})
	}
	wantError(t, "no flow at all", flows(0, true), mapierr.FlowInfo)
	fd := p.call(create("net0")).GetFlowCreated().GetFd()
	wantError(t, "after the last", flows(fd, true), mapierr.FlowInfo)
	other.call(create("net0"))
	foreign := flows(fd, true).GetFlows().GetFlows()
	if len(foreign) != 1 || foreign[0].Fd < engine.ForeignFD {
		t.Fatalf("after the own flow: %v", foreign)
	}
	seen := foreign[0].Fd
	wantError(t, "after the last of others", flows(seen, true), mapierr.FlowInfo)
	wantError(t, "after an unknown one", flows(seen+1, true), mapierr.InvalidFlow)
	for what, fd := range map[string]int32{"unknown": fd + 1, "unknown, of others": seen + 1, "0": 0, "negative": -1, "own, as of others": engine.ForeignFD + 1} {
		wantError(t, what, flows(fd, false), mapierr.InvalidFlow)
		wantError(t, what+": function", functions(fd, 1, false), mapierr.NotInitialized)
		wantError(t, what+": next function", functions(fd, 0, true), mapierr.NotInitialized)
	}
	for _, fd := range []int32{fd, seen} {
		for _, fid := range []int32{-1 << 31, 0, 1, 1<<31 - 1} {
			wantError(t, "function", functions(fd, fid, false), mapierr.FunctionInfo)
			wantError(t, "next function", functions(fd, fid, true), mapierr.FunctionInfo)
		}
	}
}
