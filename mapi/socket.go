package mapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// systemSocket is the socket of the host's daemon.
const systemSocket = "/run/mapi/mapid.sock"

// candidates are the possible paths of the daemon's socket, in the order to
// try.
func (c *Client) candidates() []string {
	if c.Socket != "" {
		return []string{c.Socket}
	}
	if s := os.Getenv("MAPI_SOCKET"); s != "" {
		return []string{s}
	}
	var paths []string
	if home, err := os.UserHomeDir(); err == nil {
		paths = append(paths, filepath.Join(home, ".mapid.sock"))
	}
	return append(paths, systemSocket)
}

// dialSocket connects to the first daemon that answers.
func (c *Client) dialSocket(ctx context.Context) (*net.UnixConn, error) {
	var reasons unreachable
	for _, path := range c.candidates() {
		sock, err := dialPath(ctx, path)
		if err == nil {
			return sock, nil
		}
		if ctx.Err() != nil {
			return nil, err // there is no time for the others either
		}
		reasons = append(reasons, err)
	}
	return nil, mapierr.Wrap(ErrCommInitSocket, "no mapid answers", reasons)
}

// unreachable has the errors of all candidates.
type unreachable []error

func (u unreachable) Error() string {
	texts := make([]string, len(u))
	for i, err := range u {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ") + ": start mapid, or set MAPI_SOCKET to the path of its socket"
}

// Unwrap lets programs check for os.ErrPermission and the like.
func (u unreachable) Unwrap() []error { return u }

// dialPath connects to the socket at path if root or the same user listens
// there, because another user could impersonate the daemon.
func dialPath(ctx context.Context, path string) (*net.UnixConn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixpacket", path)
	if err != nil {
		return nil, dialError(path, err)
	}
	sock := conn.(*net.UnixConn)
	peer, err := wire.PeerOf(sock)
	if err == nil && peer.UID != 0 && int(peer.UID) != os.Geteuid() {
		err = fmt.Errorf("%s belongs to user %d, who is neither root nor you", path, peer.UID)
	}
	if err != nil {
		sock.Close()
		return nil, err
	}
	return sock, nil
}

// dialError describes the usual failures.
func dialError(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return absentError(path)
	case errors.Is(err, os.ErrPermission) && path == systemSocket:
		return fmt.Errorf("%s: %w (members of group mapi have access)", path, os.ErrPermission)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// absentError is the path of a missing socket.
type absentError string

func (a absentError) Error() string { return string(a) + " does not exist" }
func (a absentError) Unwrap() error { return os.ErrNotExist }
