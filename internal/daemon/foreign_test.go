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

// TestDescriptorsThatLinger sends connections whose close takes very long: with a call that takes
// no descriptors, and with one that is never received. Other clients, new ones and the end of the
// daemon do not wait for them.
func TestDescriptorsThatLinger(t *testing.T) {
	socket := t.TempDir() + "/mapid.sock"
	o, _ := options(t, socket)
	stop := start(t, o)
	hostile, other := greeted(t, socket), greeted(t, socket)
	var lets []func()
	for range 10 {
		f, let := foreigntest.Lingering(t)
		lets = append(lets, let)
		hostile.call(askDevices(), f)
		f.Close() // the daemon has it
	}
	unread := greeted(t, socket)
	f, let := foreigntest.Lingering(t)
	lets = append(lets, let)
	if err := unread.conn.Send(&wire.Request{}, f); err != nil { // ends the connection
		t.Fatal(err)
	}
	if err := unread.conn.Send(&wire.Request{Id: 2}, f); err != nil && !errors.Is(err, unix.EPIPE) {
		t.Fatal(err)
	}
	unread.conn.Close()
	f.Close()
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
	open := &wire.Request{Id: 2, Call: &wire.Request_CreateOfflineDevice{CreateOfflineDevice: &wire.CreateOfflineDevice{Path: "x"}}}
	for range 20 {
		f, err := os.Open(fs.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := greeted(t, socket).conn.Send(open, f); err != nil {
			t.Fatal(err)
		}
		f.Close()
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
