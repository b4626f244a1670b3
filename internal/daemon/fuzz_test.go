package daemon

import (
	"context"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"gomapi/internal/wire"
)

// FuzzClient sends arbitrary data to a daemon, cut into records: the first byte
// of each record is its length. The daemon must finish with each client and
// serve the next.
func FuzzClient(f *testing.F) {
	add := func(requests ...*wire.Request) {
		var data []byte
		for i, r := range requests {
			r.Id = uint64(i + 2)
			b, err := proto.Marshal(r)
			if err != nil {
				f.Fatal(err)
			}
			data = append(append(data, byte(len(b))), b...)
		}
		f.Add(data)
	}
	filter := &wire.Value{Kind: &wire.Value_Text{Text: []byte("tcp")}}
	apply := &wire.Request{Call: &wire.Request_ApplyFunction{
		ApplyFunction: &wire.ApplyFunction{Fd: 1, Name: "BPF_FILTER", Args: []*wire.Value{filter}},
	}}
	connect := &wire.Request{Call: &wire.Request_Connect{Connect: &wire.Connect{Fd: 1}}}
	closing := &wire.Request{Call: &wire.Request_CloseFlow{CloseFlow: &wire.CloseFlow{Fd: 1}}}
	add(create("net0"), apply, connect, connect, closing, closing)
	add(connect, closing, apply, create("nothing"))
	add(&wire.Request{Call: &wire.Request_Devices{Devices: &wire.DeviceQuery{Id: -5, Next: true, Limit: 1 << 31}}},
		&wire.Request{Call: &wire.Request_LibraryFunctions{LibraryFunctions: &wire.LibraryFunctionQuery{Library: -1}}},
		&wire.Request{Call: &wire.Request_Functions{Functions: &wire.FunctionQuery{Fd: 1 << 30}}})
	f.Fuzz(func(t *testing.T, data []byte) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Skip(err)
		}
		o, _ := options(t, "")
		again, err := unix.FcntlInt(uintptr(fds[0]), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := unixConn(t, fds[0]), unixConn(t, fds[1])
		o.Conn = theirs
		done := make(chan error, 1)
		go func() { done <- Run(context.Background(), o) }()
		p := &program{t: t, conn: conversation(t, unixConn(t, again))}
		p.call(&wire.Request{Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}})
		go drain(ours)
		for len(data) > 0 {
			n := min(1+int(data[0]), len(data))
			if _, err := ours.Write(data[1:n]); err != nil {
				break
			}
			data = data[n:]
		}
		ours.CloseWrite()
		if err := <-done; err != nil {
			t.Error(err)
		}
		ours.Close()
	})
}

// drain reads answers until the daemon closes the connection.
func drain(c *net.UnixConn) {
	buf := make([]byte, wire.MaxMessage)
	for {
		if n, err := c.Read(buf); err != nil || n == 0 {
			return
		}
	}
}

// unixConn makes a connection from a descriptor.
func unixConn(t testing.TB, fd int) *net.UnixConn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "pair")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn)
}
