package nic

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// A namespace is the network namespace of a device (network_namespaces(7)).
// The sockets that are opened in it belong to it for good.
type namespace struct {
	path string   // given in mapi.conf; "" for the one that the device was opened in
	file *os.File // of the namespace that is in use
}

const (
	namedNamespaces   = "/run/netns" // ip-netns(8)
	namespaceOfThread = "/proc/thread-self/ns/net"
)

// openNamespace finds the namespace of this name or path, that of the calling
// thread for "".
func openNamespace(name string) (*namespace, error) {
	n := &namespace{path: name}
	if name != "" && !filepath.IsAbs(name) {
		n.path = filepath.Join(namedNamespaces, name)
	}
	return n, n.refresh()
}

// refresh opens what the path names now.
func (n *namespace) refresh() error {
	path := n.path
	if path == "" {
		path = namespaceOfThread
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe must not block
	if err != nil {
		return err
	}
	n.close()
	n.file = f
	return nil
}

// replaced reports whether the path names another namespace now.
func (n *namespace) replaced() bool {
	if n.path == "" {
		return false
	}
	now, err := os.Stat(n.path)
	if err != nil {
		return false
	}
	old, err := n.file.Stat()
	return err == nil && !os.SameFile(old, now)
}

func (n *namespace) close() {
	if n.file != nil {
		n.file.Close()
		n.file = nil
	}
}

// do runs f inside. Where the calling thread is inside already no right is
// needed; else CAP_SYS_ADMIN, for a moment, on a thread that is brought back.
func (n *namespace) do(f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(namespaceOfThread)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if same(home, n.file) {
		defer runtime.UnlockOSThread()
		return f()
	}
	if err := enter(n.file); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the network namespace %s, which needs CAP_SYS_ADMIN: %w", n.path, err)
	}
	err = f()
	if enter(home) == nil {
		runtime.UnlockOSThread()
	} // else the thread stays locked and ends with its goroutine
	return err
}

func enter(ns *os.File) error { return unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET) }

func same(a, b *os.File) bool {
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
