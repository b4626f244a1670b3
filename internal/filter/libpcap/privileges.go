package libpcap

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// Arguments that a child gives itself when it starts anew.
const (
	bound = "bound" // to the files that it needs
	again = "again" // without capabilities
)

// dropPrivileges makes a child of root run as nobody and leaves no capability
// to any child.
func dropPrivileges() error {
	if os.Getuid() == 0 || os.Geteuid() == 0 {
		// In a user namespace, which may have no nobody, root is nobody special
		// outside and loses the capabilities all the same.
		if err := becomeNobody(); err != nil && !inUserNamespace() {
			return fmt.Errorf("root cannot become nobody (%w): leave it CAP_SETUID and CAP_SETGID, or start it as another user", err)
		}
	}
	capable, err := anyCapability()
	if err != nil || !capable {
		return err
	}
	if slices.Contains(os.Args, again) {
		return fmt.Errorf("capabilities cannot be dropped")
	}
	return execWithoutCapabilities()
}

// becomeNobody changes the identity of every thread. The capabilities of all
// of them go with it, see capabilities(7).
func becomeNobody() error {
	if err := syscall.Setgroups([]int{}); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("setresgid: %w", err)
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	return nil
}

// inUserNamespace reports whether the process is in another user namespace than
// the first, which maps all numbers of users to themselves (user_namespaces(7)).
func inUserNamespace() bool {
	const all = "0 0 4294967295"
	b, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(b)), " ") != all
}

func capabilities() (unix.CapUserHeader, [2]unix.CapUserData) {
	return unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
}

func anyCapability() (bool, error) {
	head, sets := capabilities()
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return false, fmt.Errorf("capget: %w", err)
	}
	for _, s := range sets {
		if s.Effective|s.Permitted != 0 {
			return true, nil
		}
	}
	return false, nil
}

// execWithoutCapabilities starts the program anew: capabilities belong to
// threads, and an exec by one that has none is what ends them all. It returns
// only with an error.
func execWithoutCapabilities() error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	head, none := capabilities()
	if err := unix.Capset(&head, &none[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return restart(again)
}

// restart starts the program anew in this process, with one more argument. It
// returns only with an error. The caller's thread passes on what it has.
func restart(arg string) error {
	err := unix.Exec("/proc/self/exe", append(slices.Clone(os.Args), arg), os.Environ())
	return fmt.Errorf("exec: %w", err)
}
