package principal

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Requests of ioctl_nsfs(2) and ioctl_pidfd(2) that package unix lacks.
const (
	nsGetParent        = 0xb702 // NS_GET_PARENT
	nsGetOwnerUID      = 0xb704 // NS_GET_OWNER_UID
	pidfdUserNamespace = 0xff09 // PIDFD_GET_USER_NAMESPACE, since Linux 6.11
	soPeerPIDFD        = 77     // SO_PEERPIDFD, since Linux 6.5
)

// maxDepth is the greatest depth of user namespaces (user_namespaces(7)).
const maxDepth = 32

// namespaceOwner returns the user, as mapid sees it, who owns the user namespace of the peer: of
// nested ones the outermost below mapid's own. A peer in mapid's own namespace owns itself.
// The kernel says so only to root and to processes with CAP_SYS_PTRACE.
func namespaceOwner(sock int, p Principal) (uint32, error) {
	pidfd, err := peerPIDFD(sock, p)
	if err != nil {
		return 0, fmt.Errorf("no descriptor of the process: %w", err)
	}
	defer unix.Close(pidfd)
	ns, err := userNamespace(pidfd, p.PID)
	if err != nil {
		return 0, fmt.Errorf("no user namespace of the process: %w", err)
	}
	defer func() { unix.Close(ns) }()
	own, err := unix.Open("/proc/self/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(own)
	if same(ns, own) {
		return p.UID, nil
	}
	for range maxDepth {
		parent, err := ioctl(ns, nsGetParent, 0)
		if err != nil {
			return 0, fmt.Errorf("no parent of the namespace: %w", err)
		}
		if same(parent, own) {
			unix.Close(parent)
			return owner(ns)
		}
		unix.Close(ns)
		ns = parent
	}
	return 0, errors.New("too many nested user namespaces")
}

// peerPIDFD returns a descriptor of the process that has connected.
func peerPIDFD(sock int, p Principal) (int, error) {
	if fd, err := unix.GetsockoptInt(sock, unix.SOL_SOCKET, soPeerPIDFD); err == nil {
		return fd, nil
	}
	if p.PID <= 0 {
		return -1, unix.ESRCH
	}
	fd, err := unix.PidfdOpen(int(p.PID), 0)
	if err != nil {
		return -1, err
	}
	// Another process may have the number by now.
	if st, err := os.Stat(fmt.Sprintf("/proc/%d", p.PID)); err != nil || statUID(st) != p.UID {
		unix.Close(fd)
		return -1, unix.ESRCH
	}
	return fd, nil
}

// userNamespace returns a descriptor of the user namespace of a process.
func userNamespace(pidfd int, pid int32) (int, error) {
	if fd, err := ioctl(pidfd, pidfdUserNamespace, 0); err == nil {
		return fd, nil
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/user", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.PidfdSendSignal(pidfd, 0, nil, 0); err != nil { // the number was its own until here
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// same reports whether two descriptors are of the same namespace.
func same(a, b int) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a, &x) == nil && unix.Fstat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// owner returns the user who has made a user namespace.
func owner(ns int) (uint32, error) {
	var uid uint32
	if err := ioctlWord(ns, nsGetOwnerUID, &uid); err != nil {
		return 0, fmt.Errorf("no owner of the namespace: %w", err)
	}
	return uid, nil
}
