package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
	"gomapi/mapi"
)

const (
	// shutdownGrace is how long a private daemon may take to end after its client
	// has closed the connection. Then it is killed.
	shutdownGrace = 2 * time.Second
	// headSize is how much of its messages is kept, in bytes.
	headSize = 16 << 10
)

// A private is a mapid that the tool starts, with the rights of the user and
// the built-in configuration. It has one client, connected by a socket pair,
// and ends with this connection.
type private struct {
	cmd    *exec.Cmd
	conn   *net.UnixConn // nil after dial has returned it
	stderr head          // read only after the end of cmd
}

// startPrivate starts a mapid. Its error is 5124.
func startPrivate() (*private, error) {
	path, err := findDaemon()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, mapierr.Wrap(mapi.ErrCommInitSocket, "create a socket for a private mapid", err)
	}
	defer theirs.Close()
	p := &private{cmd: exec.Command(path, "--builtin", "--serve-fd=3"), conn: ours}
	p.cmd.ExtraFiles = []*os.File{theirs} // descriptor 3
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = shutdownGrace
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		// The daemon ends when our end of the socket closes. If it hangs when
		// we are killed, the kernel ends it.
		Pdeathsig: unix.SIGKILL,
		// Signals to our process group must not reach the daemon: results are
		// still to be read.
		Setpgid: true,
	}
	if err := p.cmd.Start(); err != nil {
		ours.Close()
		return nil, mapierr.Wrap(mapi.ErrCommInitSocket, "start a private mapid", err)
	}
	return p, nil
}

// findDaemon returns the path of the mapid that belongs to this program: in the
// same directory, else in ../sbin, else in PATH.
func findDaemon() (string, error) {
	candidates := []string{"mapid"}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		dir := filepath.Dir(self)
		candidates = []string{filepath.Join(dir, "mapid"), filepath.Join(dir, "../sbin/mapid"), "mapid"}
	}
	for _, c := range candidates {
		if path, err := exec.LookPath(c); err == nil {
			return path, nil
		}
	}
	return "", mapierr.New(mapi.ErrCommInitSocket, "no mapid to start: %s not found (PATH is %s)",
		strings.Join(candidates, ", "), os.Getenv("PATH"))
}

// socketPair returns a connection and a file for its other end, which a child
// inherits.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "mapid"), os.NewFile(uintptr(fds[1]), "client")
	defer ours.Close() // FileConn duplicates the descriptor
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// dial implements the dialer of mapi.Client. It returns the connection once.
func (p *private) dial(context.Context) (*net.UnixConn, error) {
	if p.conn == nil {
		return nil, mapierr.New(mapi.ErrCommSocket, "the mapid of this call has ended")
	}
	conn := p.conn
	p.conn = nil
	return conn, nil
}

// end waits for the daemon and returns how it ended. The client must be closed.
// If ctx has ended, the time of the call is up and end waits less.
func (p *private) end(ctx context.Context) error {
	if p.conn != nil {
		p.conn.Close()
	}
	wait := shutdownGrace
	if ctx.Err() != nil {
		wait = patience / 4
	}
	kill := time.AfterFunc(wait, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	return p.cmd.Wait()
}

// head keeps the first headSize bytes of the data written to it.
type head []byte

func (h *head) Write(b []byte) (int, error) {
	*h = append(*h, b[:min(len(b), headSize-len(*h))]...)
	return len(b), nil
}
