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

// Arguments that a child passes to itself when it executes the program again.
const (
	bound = "bound" // restricted to the files that it needs
	again = "again" // without capabilities
)

// dropPrivileges makes a child of root run as nobody and removes the capabilities of any
// child.
func dropPrivileges() error {
	if os.Getuid() == 0 || os.Geteuid() == 0 {
		// A user namespace may have no nobody. Its root is an ordinary user outside, and
		// loses its capabilities in any case.
		if err := becomeNobody(); err != nil && !inUserNamespace() {
			return fmt.Errorf("root cannot become nobody (%w): keep CAP_SETUID and CAP_SETGID, or start as another user", err)
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

// becomeNobody changes the identity of every thread. All threads then also lose their
// capabilities, see capabilities(7).
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

// inUserNamespace reports whether the process is in a user namespace other than the first
// one, which maps all user IDs to themselves (user_namespaces(7)).
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

// execWithoutCapabilities executes the program again. Capabilities belong to threads;
// only an exec by a thread without capabilities removes them all. It returns only with an
// error.
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

// restart executes the program again in this process, with one more argument. The new
// program inherits the restrictions of the calling thread. It returns only with an error.
func restart(arg string) error {
	err := unix.Exec("/proc/self/exe", append(slices.Clone(os.Args), arg), os.Environ())
	return fmt.Errorf("exec: %w", err)
}
