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
	return inOrder(
		step{"setgroups", func() error { return syscall.Setgroups([]int{}) }},
		step{"setresgid", func() error { return syscall.Setresgid(nobody, nobody, nobody) }},
		step{"setresuid", func() error { return syscall.Setresuid(nobody, nobody, nobody) }})
}

// inUserNamespace reports whether the process is in a user namespace other than the first
// one, which maps all user IDs to themselves (user_namespaces(7)).
func inUserNamespace() bool {
	const all = "0 0 4294967295"
	b, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(b)), " ") != all
}

func anyCapability() (bool, error) {
	head, sets := noCapabilities()
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return false, fmt.Errorf("capget: %w", err)
	}
	return sets[0].Effective|sets[0].Permitted|sets[1].Effective|sets[1].Permitted != 0, nil
}

func noCapabilities() (unix.CapUserHeader, [2]unix.CapUserData) {
	return unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
}

// execWithoutCapabilities executes the program again. Capabilities belong to threads;
// only an exec by a thread without capabilities removes them all. It returns only with an
// error.
func execWithoutCapabilities() error {
	runtime.LockOSThread()
	head, none := noCapabilities()
	return inOrder(
		step{"no_new_privs", noNewPrivileges},
		step{"capset", func() error { return unix.Capset(&head, &none[0]) }},
		step{"exec", func() error { return restart(again) }})
}

// noNewPrivileges forbids the calling thread what set-user-ID programs may do.
func noNewPrivileges() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }

// restart executes the program again in this process, with one more argument. The new
// program inherits the restrictions of the calling thread. It returns only with an error.
func restart(arg string) error {
	return unix.Exec("/proc/self/exe", append(slices.Clone(os.Args), arg), os.Environ())
}

// A step of the confinement.
type step struct {
	name string
	do   func() error
}

// inOrder does steps until one fails, which the error names.
func inOrder(steps ...step) error {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
