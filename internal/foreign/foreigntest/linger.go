package foreigntest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Lingering returns a TCP connection whose close waits until the peer goes, longer than any test.
// Let ends the wait.
func Lingering(t testing.TB) (c *os.File, let func()) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	listen, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(err)
	defer unix.Close(listen)
	must(unix.SetsockoptInt(listen, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048))
	must(unix.Bind(listen, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(unix.Listen(listen, 1))
	addr, err := unix.Getsockname(listen)
	must(err)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(err)
	must(unix.Connect(fd, addr))
	peer, _, err := unix.Accept4(listen, unix.SOCK_CLOEXEC)
	must(err)
	for err == nil {
		_, err = unix.SendmsgN(fd, make([]byte, 1<<16), nil, nil, unix.MSG_DONTWAIT)
	}
	must(unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 600}))
	return os.NewFile(uintptr(fd), "lingering"), func() { // a reset ends the wait
		_ = unix.SetsockoptLinger(peer, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		_ = unix.Close(peer)
	}
}
