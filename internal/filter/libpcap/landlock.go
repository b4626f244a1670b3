package libpcap

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// readable lists what a child may do with files beneath some paths. Landlock refuses all
// other access to files, connections and signals, as far as the kernel's Landlock knows
// them. It also prevents access to processes outside, such as reading the memory of the
// parent in /proc. The child may read:
//
//   - /etc: the C library opens its tables of services and protocols for each
//     look-up, and packages replace them meanwhile;
//   - /proc: limits, identity and files of the child itself.
var readable = []pathRule{
	{"/etc", unix.LANDLOCK_ACCESS_FS_READ_FILE},
	{"/proc", unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR},
	{os.DevNull, unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE},
}

// Rights of the first version of Landlock's interface, and those added later (kernel,
// Documentation/userspace-api/landlock.rst).
const (
	landlockFirst = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	landlockTCP   = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	landlockScope = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
)

func landlockRights(version int) unix.LandlockRulesetAttr {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockFirst}
	if version >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		attr.Handled_access_net = landlockTCP
	}
	if version >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if version >= 6 {
		attr.Scoped = landlockScope
	}
	return attr
}

// restrictFiles restricts the process to the files that it needs, if the kernel can.
// Landlock applies to threads, and the Go runtime already has several. So the calling
// thread restricts itself and executes the program again. The new program may also read
// and execute the files that are mapped now: the program and its libraries.
func restrictFiles() error {
	version := landlockVersion()
	if version < 1 || slices.Contains(os.Args, bound) {
		return nil
	}
	runtime.LockOSThread()
	return inOrder(
		step{"no_new_privs", noNewPrivileges},
		step{"landlock", func() error {
			mapped, err := mappedFiles()
			if err != nil {
				return fmt.Errorf("list of libraries: %w", err)
			}
			return landlock(landlockRights(version), slices.Concat(readable, mapped))
		}},
		step{"exec", func() error { return restart(bound) }})
}

// mappedFiles returns rules that allow mapping the currently mapped files again.
func mappedFiles() ([]pathRule, error) {
	const exec = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	rules := []pathRule{{"/proc/self/exe", exec}}
	for line := range strings.Lines(string(maps)) {
		if _, path, ok := strings.Cut(line, " /"); ok {
			rules = append(rules, pathRule{"/" + strings.TrimSuffix(path, "\n"), exec})
		}
	}
	return slices.Compact(rules), nil
}
