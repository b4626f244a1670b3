package nic

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// A namespace is the network namespace of a device (network_namespaces(7)).
// Sockets belong to the namespace in which they were opened, permanently.
type namespace struct {
	path string   // from mapi.conf; "" for the namespace in which the device was opened
	file *os.File // of the current namespace
}

const (
	namedNamespaces   = "/run/netns" // ip-netns(8)
	namespaceOfThread = "/proc/thread-self/ns/net"
)

// openNamespace opens the namespace with this name or path; "" means that of
// the calling thread.
func openNamespace(name string) (*namespace, error) {
	n := &namespace{path: name}
	if name != "" && !filepath.IsAbs(name) {
		n.path = filepath.Join(namedNamespaces, name)
	}
	return n, n.refresh()
}

// refresh opens the namespace that the path refers to now.
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

// replaced reports whether the path now refers to another namespace.
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

// do runs f in the namespace. If the calling thread is already in it, this
// needs no privileges. Otherwise it needs CAP_SYS_ADMIN, on a locked thread
// that returns to its namespace afterwards.
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
		return fmt.Errorf("enter the network namespace %s (needs CAP_SYS_ADMIN): %w", n.path, err)
	}
	err = f()
	if enter(home) == nil {
		runtime.UnlockOSThread()
	} // otherwise the thread stays locked and ends with its goroutine
	return err
}

func enter(ns *os.File) error { return unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET) }

func same(a, b *os.File) bool {
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
