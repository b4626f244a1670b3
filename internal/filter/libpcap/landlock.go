package libpcap

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// What a child may do with files beneath some paths. Everything else of files,
// connections and signals that the kernel's Landlock knows is refused. Landlock
// also keeps it from looking into processes outside, such as the memory of its
// parent in /proc. It may read:
//
//   - /etc: the C library opens its tables of services and protocols for each
//     look-up, and packages replace them meanwhile;
//   - /proc: limits, identity and files of the child itself.
var readable = []pathRule{
	{"/etc", unix.LANDLOCK_ACCESS_FS_READ_FILE},
	{"/proc", unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR},
	{os.DevNull, unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE},
}

// Rights of the first version of Landlock's interface, and what later ones
// added (kernel, Documentation/userspace-api/landlock.rst).
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

// restrictFiles leaves the process the files that it needs, if the kernel can.
// Landlock binds threads, and the Go runtime has several already: so the calling
// one binds itself and starts the program anew, which then may also read and
// execute what is mapped now, the program and its libraries.
func restrictFiles() error {
	version := landlockVersion()
	if version < 1 || slices.Contains(os.Args, bound) {
		return nil
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	mapped, err := mappedFiles()
	if err != nil {
		return fmt.Errorf("list of libraries: %w", err)
	}
	if err := landlock(landlockRights(version), slices.Concat(readable, mapped)); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return restart(bound)
}

// mappedFiles allows the files that are mapped to be mapped again.
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
