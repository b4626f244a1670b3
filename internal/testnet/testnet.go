// Package testnet provides a small network for a test: a private network
// namespace with two linked interfaces and no other traffic.
//
//	+------------------ private network namespace -------------------+
//	|                                                                |
//	|   Sender ----> a  <========= veth pair =========>  b ----> ?    |
//	|                02:00:00:00:00:0a                  02:..:0b     |
//	|                                                                |
//	|   lo (up)      no addresses, IPv6 off: only what tests send    |
//	+----------------------------------------------------------------+
//
// The namespace ends with the test. It needs root; without root, the test is
// skipped. The package is for tests and the benchmark.
package testnet

import (
	"net"
	"os"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// The interfaces of the pair.
const (
	A = "a"
	B = "b"
)

// Hardware addresses of the pair.
var (
	MACofA = net.HardwareAddr{2, 0, 0, 0, 0, 0x0a}
	MACofB = net.HardwareAddr{2, 0, 0, 0, 0, 0x0b}
)

// Patience is the maximum wait for an event before the test fails.
const Patience = time.Minute

// TB is the part of testing.TB that this package needs. It may be a testing.TB
// or a benchmark program. Fatalf and Skip must not return.
type TB interface {
	Helper()
	Skip(args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// An NS is a private network namespace. Its methods report failures to the
// test. Unless stated otherwise, they must be called on the test's goroutine.
type NS struct {
	t      TB
	handle netns.NsHandle
}

// Run creates a namespace with the pair, both ends up, and calls f in it, on
// the goroutine of the test, which is locked to its thread meanwhile.
// Goroutines started by f are outside the namespace; see Go.
func Run(t TB, f func(ns *NS)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: CAP_SYS_ADMIN and CAP_NET_ADMIN for a network namespace")
	}
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		t.Fatalf("open the network namespace of the thread: %v", err)
	}
	defer home.Close()
	private, err := netns.New()
	if err != nil {
		t.Fatalf("create a network namespace: %v", err)
	}
	defer private.Close()
	defer leave(t, home)
	ns := &NS{t: t, handle: private}
	ns.quiet()
	ns.AddPair()
	f(ns)
}

// leave returns the thread to its namespace. If that fails, the thread stays
// locked and ends with its goroutine, so that it cannot affect another test.
func leave(t TB, home netns.NsHandle) {
	if err := netns.Set(home); err != nil {
		t.Errorf("return to the first network namespace: %v", err)
		return
	}
	runtime.UnlockOSThread()
}

// Go runs f on a separate thread inside the namespace and returns a channel
// that is closed when f has returned. The thread ends with f. Any goroutine may
// call Go, but f must not call FailNow.
func (ns *NS) Go(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := netns.Set(ns.handle); err != nil {
			ns.t.Errorf("enter the network namespace: %v", err)
			return
		}
		f()
	}()
	return done
}

// quiet turns off IPv6, because router solicitations would mix with the packets
// of the test, and brings lo up.
func (ns *NS) quiet() {
	ns.t.Helper()
	for _, scope := range []string{"all", "default"} {
		path := "/proc/sys/net/ipv6/conf/" + scope + "/disable_ipv6"
		if err := os.WriteFile(path, []byte("1"), 0); err != nil && !os.IsNotExist(err) {
			ns.t.Fatalf("turn IPv6 off: %v", err)
		}
	}
	if err := netlink.LinkSetUp(ns.link("lo")); err != nil {
		ns.t.Fatalf("bring lo up: %v", err)
	}
}

// AddPair creates the pair, or recreates it after Delete, and brings it up.
func (ns *NS) AddPair() {
	ns.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = A
	attrs.HardwareAddr = MACofA
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: B, PeerHardwareAddr: MACofB}
	if err := netlink.LinkAdd(pair); err != nil {
		ns.t.Fatalf("create the veth pair: %v", err)
	}
	ns.Up(A, B)
}
