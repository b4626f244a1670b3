package wire

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// A Peer is the process at the other end of a local connection, according to
// the kernel: its credentials at the time of connect or listen (unix(7),
// SO_PEERCRED).
type Peer struct {
	UID, GID uint32
	PID      int32
}

// PeerOf asks the kernel for the peer of sock.
func PeerOf(sock *net.UnixConn) (Peer, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Peer{}, err
	}
	if credErr != nil {
		return Peer{}, fmt.Errorf("get the peer's credentials: %w", credErr)
	}
	return Peer{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid}, nil
}
