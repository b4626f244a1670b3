package daemon

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/testenv"
	"gomapi/internal/wire"
)

// askDevices is a call that takes no descriptors.
func askDevices() *wire.Request {
	return &wire.Request{Call: &wire.Request_Devices{Devices: &wire.DeviceQuery{Id: -1, Next: true, Limit: 10}}}
}

// openHanging asks for a device of a capture file that does not answer.
func (p *program) openHanging(fs *foreigntest.Hanging) {
	p.t.Helper()
	f, err := os.Open(fs.Path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	err = p.conn.Send(&wire.Request{Id: 2, Call: &wire.Request_CreateOfflineDevice{CreateOfflineDevice: &wire.CreateOfflineDevice{Path: "x"}}}, f)
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestDescriptorsThatLinger sends connections whose close takes very long, while the daemon is
// busy with a call before, so that nobody else has them when it takes them: with calls that take
// no descriptors, and with calls that are never received. Other clients, new ones and the end of
// the daemon do not wait for them.
func TestDescriptorsThatLinger(t *testing.T) {
	fs := foreigntest.Hang(t, nil, foreigntest.Read)
	socket := t.TempDir() + "/mapid.sock"
	o, _ := options(t, socket)
	stop := start(t, o)
	other := greeted(t, socket)
	var lets []func()
	hostile := func() *program {
		p := greeted(t, socket)
		p.openHanging(fs)
		for range 10 {
			f, let := foreigntest.Lingering(t)
			lets = append(lets, let)
			if err := p.conn.Send(askDevices(), f); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		return p
	}
	read, unread := hostile(), hostile()
	fs.Await(t, foreigntest.Read, 2)
	unread.conn.Close()
	fs.Release()
	for range 2 { // a request without a number is refused, and ends the connection
		if _, err := read.conn.Receive(&wire.Response{}); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Within(t, "calls of others", func() {
		other.call(askDevices())
		greeted(t, socket).call(askDevices())
	})
	testenv.Within(t, "the end of the daemon", func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	for _, let := range lets {
		let()
	}
}

// TestNoDescriptorsBeforeTheWelcome: the kernel refuses descriptors that a client sends before it
// is admitted, so that refusing it closes nothing of it.
func TestNoDescriptorsBeforeTheWelcome(t *testing.T) {
	socket := t.TempDir() + "/mapid.sock"
	l, err := listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	c := dial(t, socket)
	b, _ := proto.Marshal(askDevices())
	_, _, err = c.WriteMsgUnix(b, unix.UnixRights(0), nil)
	if err == nil {
		t.Skip("the kernel is older than Linux 6.16")
	}
	if !errors.Is(err, unix.EPERM) {
		t.Error(err)
	}
}

// TestFilesWhoseReadsHang opens capture files that do not answer. Others go on, and the connection
// and the daemon end at once.
func TestFilesWhoseReadsHang(t *testing.T) {
	fs := foreigntest.Hang(t, make([]byte, 100), foreigntest.Read)
	socket := t.TempDir() + "/mapid.sock"
	o, _ := options(t, socket)
	stop := start(t, o)
	other := greeted(t, socket)
	for range 20 {
		greeted(t, socket).openHanging(fs)
	}
	fs.Await(t, foreigntest.Read, 4)
	testenv.Within(t, "the end", func() {
		other.call(askDevices())
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	if n := fs.Held(foreigntest.Read); n != 4 {
		t.Errorf("%d reads of a user hang, want 4", n)
	}
}
