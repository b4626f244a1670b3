// Package testnet gives a test a small network of its own: a private network
// namespace with two linked interfaces and nothing else on them.
//
//	+------------------ private network namespace -------------------+
//	|                                                                |
//	|   Sender ----> a  <========= veth pair =========>  b ----> ?    |
//	|                02:00:00:00:00:0a                  02:..:0b     |
//	|                                                                |
//	|   lo (up)      no addresses, IPv6 off: only what tests send    |
//	+----------------------------------------------------------------+
//
// The namespace goes away with the test. It needs root; without, the test is
// skipped. For tests and for the benchmark.
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

// Patience is how long any awaited event may take before the test fails.
const Patience = time.Minute

// TB is what this package needs of a test: a testing.TB, or a program that
// measures. Fatalf and Skip do not return.
type TB interface {
	Helper()
	Skip(args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// An NS is a private network namespace. Its methods report failures to the
// test and are called on the test's goroutine, except where they say otherwise.
type NS struct {
	t      TB
	handle netns.NsHandle
}

// Run makes a namespace with the pair, both ends up, and calls f inside: on the
// goroutine of the test, which is locked to its thread meanwhile. Goroutines
// that f starts are outside; see Go.
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
		t.Fatalf("make a network namespace: %v", err)
	}
	defer private.Close()
	defer leave(t, home)
	ns := &NS{t: t, handle: private}
	ns.quiet()
	ns.AddPair()
	f(ns)
}

// leave brings the thread home. If that fails it stays locked, and ends with
// its goroutine instead of surprising another test.
func leave(t TB, home netns.NsHandle) {
	if err := netns.Set(home); err != nil {
		t.Errorf("return to the first network namespace: %v", err)
		return
	}
	runtime.UnlockOSThread()
}

// Go runs f on a thread of its own inside the namespace and returns a channel
// that is closed when f has ended. The thread ends with f. Any goroutine may
// call Go, and f may not end the test (FailNow).
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

// quiet turns IPv6 off, so that no router solicitation comes between the
// packets of the test, and brings lo up.
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

// AddPair makes the pair, again after Delete, and brings it up.
func (ns *NS) AddPair() {
	ns.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = A
	attrs.HardwareAddr = MACofA
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: B, PeerHardwareAddr: MACofB}
	if err := netlink.LinkAdd(pair); err != nil {
		ns.t.Fatalf("make the veth pair: %v", err)
	}
	ns.Up(A, B)
}
