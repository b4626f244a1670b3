// Package principal tells who is at the other end of a local connection, as the kernel
// reports it, and who pays for what that process takes.
//
// Files in reading order; each uses those before it:
//
//	names.go      numbers of users and groups
//	subuid.go     ranges of user numbers that belong to a user
//	namespace.go  owners of user namespaces
//	principal.go  the principal of a connection
package principal

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A Principal is a process that has connected, and the user to whom everything is charged
// that it takes. It does not change.
type Principal struct {
	UID, GID uint32   // effective, at the time of connect (unix(7), SO_PEERCRED)
	Groups   []uint32 // supplementary groups at that time (SO_PEERGROUPS)
	PID      int32    // 0: in a PID namespace that mapid does not see
	// Payer is the user to whom everything is charged: UID, or the owner of the user namespace
	// in which the process is.
	Payer uint32
	Way   Way    // how Payer was found
	Blind bool   // this process lacks the right to see the owner of the user namespace
	Comm  string // name of the process; processes choose it, so it may have any bytes; empty: unknown
}

// A Way is how the user who pays was found.
type Way string

// The ways, from the surest to the last resort.
const (
	ByNamespace Way = "user namespace"  // the kernel has named the owner of the user namespace
	BySubUID    Way = "/etc/subuid"     // the user has this range of user numbers
	ByUID       Way = "the user itself" // nothing else is known
)

// Of returns the principal of a connected socket. It does not wait, except for name services
// if the payer is looked up in /etc/subuid.
func Of(sock *net.UnixConn) (Principal, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return Principal{}, err
	}
	var p Principal
	var credErr error
	if err := raw.Control(func(fd uintptr) { p, credErr = ofDescriptor(int(fd)) }); err != nil {
		return Principal{}, err
	}
	return p, credErr
}

func ofDescriptor(fd int) (Principal, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Principal{}, fmt.Errorf("get the peer's credentials: %w", err)
	}
	p := Principal{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid, Comm: comm(cred.Pid)}
	if p.Groups, err = groups(fd); err != nil {
		return Principal{}, fmt.Errorf("get the peer's groups: %w", err)
	}
	p.findPayer(fd)
	return p, nil
}

// findPayer finds out who pays for the peer of a socket.
func (p *Principal) findPayer(fd int) {
	owner, err := namespaceOwner(fd, *p)
	if err == nil {
		p.Payer, p.Way = owner, ByNamespace
		return
	}
	p.Blind = errors.Is(err, os.ErrPermission) // else the process has ended
	if owner, ok := subUIDs(subUIDFile).owner(p.UID); ok {
		p.Payer, p.Way = owner, BySubUID
		return
	}
	p.Payer, p.Way = p.UID, ByUID
}

// groups returns the supplementary groups of the peer.
func groups(fd int) ([]uint32, error) {
	for n := 32; ; {
		buf := make([]uint32, n)
		size, err := getsockopt(fd, unix.SO_PEERGROUPS, buf)
		switch {
		case err == nil:
			return buf[:size/4], nil
		case !errors.Is(err, unix.ERANGE) || size/4 <= n:
			return nil, err
		}
		n = size / 4
	}
}

// maxComm is the maximum length of a process name including the newline (proc(5),
// /proc/pid/comm).
const maxComm = 16

// comm is the name of a process, empty if it is gone or in another PID namespace.
func comm(pid int32) string {
	if pid <= 0 {
		return ""
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	defer f.Close()
	name, _ := io.ReadAll(io.LimitReader(f, maxComm))
	return strings.TrimSuffix(string(name), "\n")
}
