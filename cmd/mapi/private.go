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
	// shutdownGrace is how long a private daemon may take to end once its client
	// has gone, before it is killed.
	shutdownGrace = 2 * time.Second
	// headSize bounds what is kept of its messages, in bytes.
	headSize = 16 << 10
)

// A private is a mapid of our own, with the rights of the user and the built-in
// configuration. It has one client, over a socket pair, and ends with it.
type private struct {
	cmd    *exec.Cmd
	conn   *net.UnixConn // nil once dial has handed it out
	stderr head          // read it after end
}

// startPrivate starts a mapid. The error is 5124.
func startPrivate() (*private, error) {
	path, err := findDaemon()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, mapierr.Wrap(mapi.ErrCommInitSocket, "socket for a mapid of our own", err)
	}
	defer theirs.Close()
	p := &private{cmd: exec.Command(path, "--builtin", "--serve-fd=3"), conn: ours}
	p.cmd.ExtraFiles = []*os.File{theirs} // descriptor 3
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = shutdownGrace
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		// It ends with our end of the socket. Should it be stuck when we are
		// killed, the kernel ends it.
		Pdeathsig: unix.SIGKILL,
		// Signals to our process group are ours: there are results to fetch.
		Setpgid: true,
	}
	if err := p.cmd.Start(); err != nil {
		ours.Close()
		return nil, mapierr.Wrap(mapi.ErrCommInitSocket, "start a mapid of our own", err)
	}
	return p, nil
}

// findDaemon returns the path of the mapid that belongs to this program: the
// one beside it or in the sbin beside its folder, where both are installed,
// else one in PATH.
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
	return "", mapierr.New(mapi.ErrCommInitSocket, "there is no mapid to start: looked for %s in PATH (%s)",
		strings.Join(candidates, ", "), os.Getenv("PATH"))
}

// socketPair makes a connection with ends for ourselves and for a child.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "mapid"), os.NewFile(uintptr(fds[1]), "client")
	defer ours.Close() // FileConn copies
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// dial is for mapi.Client: it hands the connection out, once.
func (p *private) dial(context.Context) (*net.UnixConn, error) {
	if p.conn == nil {
		return nil, mapierr.New(mapi.ErrCommSocket, "the mapid of this call has ended")
	}
	conn := p.conn
	p.conn = nil
	return conn, nil
}

// end waits for the daemon, whose client must be closed, and returns how it
// ended. When the time of the call is up, ctx has ended, it waits less.
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

// head keeps the first headSize bytes of what is written to it.
type head []byte

func (h *head) Write(b []byte) (int, error) {
	*h = append(*h, b[:min(len(b), headSize-len(*h))]...)
	return len(b), nil
}
