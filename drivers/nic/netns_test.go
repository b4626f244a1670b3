package nic

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/testnet"
)

// elsewhere calls f on a thread in the first network namespace of the process.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// TestOtherNamespace opens, runs and removes a device from outside its
// namespace. Packets, counters and events come from its namespace.
func TestOtherNamespace(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		path := fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		r := newRecorder()
		var dev drivers.Device
		elsewhere(func() { dev = mustOpen(t, testnet.B, map[string]string{"netns": path}) })
		run := start(t, dev, r)
		send(t, ns.Sender(testnet.A), testnet.UDP(0, 100))
		r.await(t, 1)
		ns.Delete(testnet.B)
		ns.AddPair()
		ns.AwaitCapture(testnet.B)
		send(t, ns.Sender(testnet.A), testnet.UDP(1, 100))
		got := r.await(t, 2)
		run.stop(t)
		sameFrames(t, got, [][]byte{testnet.UDP(0, 100), testnet.UDP(1, 100)})
		if st := dev.Stats(); st.Recv != 2 || st.Reopens != 1 || st.LinkState != drivers.LinkUp {
			t.Errorf("stats %+v", st)
		}
	})
}

// TestStaysInItsNamespace checks that a device without netns stays in the
// namespace where it was opened, even if its goroutine runs on a thread in
// another namespace.
func TestStaysInItsNamespace(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dev := mustOpen(t, testnet.B, nil)
		r := newRecorder()
		run := start(t, dev, r) // on another thread, outside
		ns.Delete(testnet.B)
		ns.AddPair()
		ns.AwaitCapture(testnet.B)
		send(t, ns.Sender(testnet.A), testnet.UDP(1, 100))
		r.await(t, 1)
		run.stop(t)
	})
}

// TestNamedNamespace removes and recreates a namespace given by name, with its
// interfaces.
func TestNamedNamespace(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		name := fmt.Sprintf("mapi-test-%d", os.Getpid())
		t.Cleanup(func() { netns.DeleteNamed(name) })
		renew := func() {
			t.Helper()
			netns.DeleteNamed(name)
			inNew(t, name, func() {
				newTap(t, netlink.TUNTAP_MODE_TAP)
			})
		}
		renew()
		dev := mustOpen(t, "tap", map[string]string{"netns": name})
		if st := dev.Stats().LinkState; st != drivers.LinkDown {
			t.Errorf("link is %v", st)
		}
		d := dev.(*device)
		if d.ns.replaced() {
			t.Error("the namespace is new before anything happened")
		}
		renew()
		if n, ok := d.find(); !ok || !d.ns.same(t, name) {
			t.Errorf("in the new namespace: %+v, %v", n, ok)
		}
	})
}

func (n *namespace) same(t *testing.T, name string) bool {
	t.Helper()
	f, err := os.Open(filepath.Join(namedNamespaces, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return same(f, n.file)
}

// inNew creates a namespace with a name and calls f in it.
func inNew(t *testing.T, name string, f func()) {
	t.Helper()
	home, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	made, err := netns.NewNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	f()
	if err := netns.Set(home); err != nil {
		t.Fatal(err)
	}
}

func TestNoSuchNamespace(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"no-such-namespace": "no network namespace",
		"/no/such/path":     "no network namespace",
		pipe:                "enter the network namespace",
		"/dev/null":         "enter the network namespace",
		"/proc/self/ns/uts": "enter the network namespace",
	} {
		_, err := Driver{}.Open(t.Context(), drivers.Config{Device: "lo", Params: map[string]string{"netns": path}})
		refused(t, err, "interface lo", says, path)
		if strings.Contains(fmt.Sprint(err), "CAP_NET_RAW") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
