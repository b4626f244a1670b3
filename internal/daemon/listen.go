package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"gomapi/internal/wire"
)

// systemDir is the directory of the system's daemons. It is created if missing,
// because /run is empty after each boot.
const systemDir = "/run/mapi"

// groupName is the group whose members may use the daemon.
const groupName = "mapi"

// listener is the daemon's socket, with the lock that keeps a second daemon
// from using its path.
type listener struct {
	*net.UnixListener
	path string
	lock *os.File
	once sync.Once
}

// listen creates the socket. The daemon that holds the lock on path.lock owns
// the path. It therefore can remove the socket of a killed daemon, and never
// removes one in use.
func listen(path string) (_ *listener, err error) {
	if filepath.Dir(path) == systemDir {
		if err := os.Mkdir(systemDir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("create the directory of the socket: %w (use --socket PATH to listen elsewhere)", err)
		}
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(wire.RefuseDescriptors(l), open(path)); err != nil {
		l.Close()
		os.Remove(path)
		return nil, err
	}
	return &listener{UnixListener: l, path: path, lock: lock}, nil
}

// stop ends Accept. It may be called more than once.
func (l *listener) stop() { l.once.Do(func() { l.UnixListener.Close() }) }

// close removes the socket and releases its path.
func (l *listener) close() {
	l.stop()
	os.Remove(l.path)
	l.lock.Close()
}

// lockFile takes the lock of a socket. The lock file is never removed:
// otherwise two daemons could lock two files with the same name.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.New("another mapid is using it (stop that mapid, or use --socket PATH)")
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// removeStale removes the socket that a daemon has left behind, but no other
// file.
func removeStale(path string) error {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case st.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("%s exists and is not a socket: remove it or use --socket PATH", path)
	}
	return os.Remove(path)
}

// open lets the user and the group mapi, if it exists, connect.
func open(path string) error {
	if g, err := user.LookupGroup(groupName); err == nil && os.Geteuid() == 0 {
		gid, err := strconv.Atoi(g.Gid)
		if err != nil {
			return fmt.Errorf("group %s: %w", groupName, err)
		}
		if err := os.Chown(path, -1, gid); err != nil {
			return fmt.Errorf("give the socket to group %s: %w", groupName, err)
		}
	}
	if err := os.Chmod(path, 0o770); err != nil {
		return fmt.Errorf("let clients connect: %w", err)
	}
	return nil
}

// temporary reports whether a later accept may succeed.
func temporary(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) ||
		errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.ECONNABORTED)
}
