package libpcap

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// again is the last argument of a child that has started itself anew.
const again = "again"

// dropPrivileges makes a child of root run as nobody and leaves no capability
// to any child.
func dropPrivileges() error {
	if os.Getuid() == 0 || os.Geteuid() == 0 {
		// In a container root may be unable to; the capabilities go all the same.
		_ = becomeNobody()
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
	err := unix.Exec("/proc/self/exe", append(slices.Clone(os.Args), again), os.Environ())
	return fmt.Errorf("exec: %w", err)
}
