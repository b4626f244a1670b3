package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"gomapi/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// pair returns both ends of a connection.
func pair(t testing.TB) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// conn makes a Conn of one end.
func conn(t testing.TB, sock *net.UnixConn) *Conn {
	t.Helper()
	c, err := NewConn(sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// conns makes a Conn of each end.
func conns(t testing.TB) (a, b *Conn) {
	t.Helper()
	x, y := pair(t)
	return conn(t, x), conn(t, y)
}

func TestHungUp(t *testing.T) {
	out, in := conns(t)
	if err := out.Send(&Request{Id: 1}); err != nil {
		t.Fatal(err)
	}
	if in.HungUp() || out.HungUp() {
		t.Error("both ends are open")
	}
	out.Close()
	if !in.HungUp() || !out.HungUp() {
		t.Error("one end is closed")
	}
	if _, err := in.Receive(&Request{}); err != nil {
		t.Errorf("a record from before: %v", err)
	}
}

func TestMessagesKeepTheirBorders(t *testing.T) {
	out, in := conns(t)
	for i := range 3 {
		if err := out.Send(&Request{Id: uint64(i + 1), Call: &Request_Connect{Connect: &Connect{Fd: int32(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		var m Request
		if _, err := in.Receive(&m); err != nil || m.Id != uint64(i+1) || m.GetConnect().GetFd() != int32(i) {
			t.Errorf("message %d is %v, %v", i, &m, err)
		}
	}
	out.Close()
	if _, err := in.Receive(&Request{}); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v, want EOF", err)
	}
}

func TestDescriptorsTravel(t *testing.T) {
	out, in := conns(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := out.Send(&Request{Id: 1}, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	fds, err := in.Receive(&Request{})
	files := fds.Files()
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if flags, err := unix.FcntlInt(files[0].Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the descriptor stays open after exec: flags %d, %v", flags, err)
	}
	io.WriteString(files[0], "through")
	files[0].Close()
	if got, _ := io.ReadAll(r); string(got) != "through" {
		t.Errorf("read %q", got)
	}
}

func TestLargestMessage(t *testing.T) {
	out, in := conns(t)
	long := func(n int) *Request {
		return &Request{Id: 1, Call: &Request_CreateFlow{CreateFlow: &CreateFlow{Device: strings.Repeat("x", n)}}}
	}
	head := proto.Size(long(MaxMessage-20)) - (MaxMessage - 20)
	largest := long(MaxMessage - head)
	if proto.Size(largest) != MaxMessage {
		t.Fatalf("test message has %d bytes", proto.Size(largest))
	}
	if err := out.Send(largest); err != nil {
		t.Fatal(err)
	}
	var m Request
	if _, err := in.Receive(&m); err != nil || !proto.Equal(&m, largest) {
		t.Errorf("largest message: %v", err)
	}
	if err := out.Send(long(MaxMessage)); !errors.Is(err, ErrTooLong) {
		t.Errorf("larger message: %v, want ErrTooLong", err)
	}
}

// TestBadRecords checks the error of each kind of bad record. The leak check in
// TestMain verifies that all their descriptors are returned.
func TestBadRecords(t *testing.T) {
	fds := func(n int) []byte {
		return unix.UnixRights(make([]int, n)...) // descriptor 0, n times
	}
	for _, c := range []struct {
		name   string
		record []byte
		rights []byte
		want   error
	}{
		{"no message", []byte("\xff\xff\xff\xff"), nil, ErrMalformed},
		{"no message, with a descriptor", []byte("\xff\xff\xff\xff"), fds(1), ErrMalformed},
		{"too long", make([]byte, MaxMessage+1), nil, ErrTooLong},
		{"much too long, with descriptors", make([]byte, 3*MaxMessage), fds(2), ErrTooLong},
		{"too many descriptors", []byte{}, fds(MaxFiles + 1), nil},
		{"far too many descriptors", []byte{0x08, 0x01}, fds(200), ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := pair(t)
			if _, _, err := a.WriteMsgUnix(c.record, c.rights, nil); err != nil {
				t.Fatal(err)
			}
			a.Close()
			fds, err := conn(t, b).Receive(&Request{})
			CloseAll(fds.Files())
			if err == nil {
				t.Errorf("accepted, with %d descriptors", len(fds))
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestPeerIsWhoTheKernelSays(t *testing.T) {
	a, _ := pair(t)
	p, err := PeerOf(a)
	if err != nil || int(p.UID) != os.Geteuid() || int(p.GID) != os.Getegid() || int(p.PID) != os.Getpid() {
		t.Errorf("peer %+v, %v", p, err)
	}
}

// FuzzRequest checks that any record is either rejected, or a request that
// encodes to the same message again.
func FuzzRequest(f *testing.F) {
	for _, r := range []*Request{
		{Id: 1, Call: &Request_Hello{Hello: &Hello{Version: Version}}},
		{Id: 2, Call: &Request_ApplyFunction{ApplyFunction: &ApplyFunction{Fd: 1, Name: "BPF_FILTER", Args: []*Value{
			{Kind: &Value_Text{Text: []byte("tcp")}}, {Kind: &Value_Int{Int: -1}}, {Kind: &Value_Uint{Uint: 1 << 63}}, {},
		}}}},
		{Id: 3, Call: &Request_Flows{Flows: &FlowQuery{Fd: -1, Next: true, Limit: 1000}}},
	} {
		b, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		a, b := pair(t)
		if len(record) == 0 || len(record) > 2*MaxMessage {
			return
		}
		if _, err := a.Write(record); err != nil {
			t.Skip(err)
		}
		var m, again Request
		in, out := conn(t, b), conn(t, a)
		if _, err := in.Receive(&m); err != nil || proto.Size(&m) == 0 {
			return // an empty message is an empty record, which means end of connection
		}
		if err := out.Send(&m); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Receive(&again); err != nil {
			t.Fatal(err)
		}
		first, _ := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
		second, _ := proto.MarshalOptions{Deterministic: true}.Marshal(&again)
		if !bytes.Equal(first, second) {
			t.Errorf("%v became %v", &m, &again)
		}
	})
}

// TestReasonOfTheEnd: the last message of a peer that has left others unread arrives.
func TestReasonOfTheEnd(t *testing.T) {
	here, there := conns(t)
	for range 3 {
		if err := here.Send(&Request{Id: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := there.Send(&Response{Error: &Error{Text: "too many"}}); err != nil {
		t.Fatal(err)
	}
	there.Close()
	var r Response
	if _, err := here.Receive(&r); err != nil || r.GetError().GetText() != "too many" {
		t.Errorf("received %v, %v", &r, err)
	}
	if _, err := here.Receive(&r); err != io.EOF {
		t.Errorf("after the last message: %v", err)
	}
}
