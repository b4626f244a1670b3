package outfile

import (
	"os"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign"
)

// sender returns a function that writes to a socket without blocking. The peer of a local socket
// may ask for the user who writes (SO_PASSCRED). It is told the client's, not the daemon's, if
// the daemon may say so.
func sender(client foreign.Rights) func(fd int, b []byte) (int, error) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	credentials := unix.UnixCredentials(&unix.Ucred{Pid: int32(os.Getpid()), Uid: client.UID, Gid: client.GID})
	return func(fd int, b []byte) (int, error) {
		n, err := unix.SendmsgN(fd, b, credentials, nil, flags)
		if err == unix.EPERM {
			return unix.SendmsgN(fd, b, nil, nil, flags)
		}
		return n, err
	}
}
