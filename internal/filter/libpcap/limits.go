package libpcap

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// niceness is added to the daemon's, so that the daemon's capture threads have priority.
const niceness = 10

type resourceLimit struct {
	name     string
	resource int
	max      uint64
}

// giveWay lowers the priority of all threads of the process. It makes a process group for
// this, because setpriority(2) takes one thread or a group.
func giveWay() error {
	if os.Getpid() != unix.Getpgrp() {
		if err := unix.Setpgid(0, 0); err != nil {
			return fmt.Errorf("process group: %w", err)
		}
	}
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return fmt.Errorf("priority: %w", err)
	}
	nice := 20 - raw // the raw system call returns it so, unlike the C library
	if err := unix.Setpriority(unix.PRIO_PGRP, 0, min(nice+niceness, 19)); err != nil {
		return fmt.Errorf("priority: %w", err)
	}
	return nil
}

// limit limits the process: memory in bytes in addition to the current size, cpu in
// seconds. It also disables core files, and the process then dies with the thread that
// started it.
func limit(memory, cpu uint64) error {
	size, err := addressSpace()
	if err != nil {
		return fmt.Errorf("address space: %w", err)
	}
	limits := []resourceLimit{
		{"core file", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"descriptors", unix.RLIMIT_NOFILE, 32},
		{"processor time", unix.RLIMIT_CPU, cpu},
		{"address space", unix.RLIMIT_AS, size + memory},
	}
	if os.Getuid() == nobody {
		// This limit counts the threads of all processes of a user. A Go program that
		// cannot start a thread dies. So it is set only here, with room for others.
		limits = append(limits, resourceLimit{"threads", unix.RLIMIT_NPROC, 4096})
	}
	for _, l := range limits {
		if err := lower(l.resource, l.max); err != nil {
			return fmt.Errorf("limit %s: %w", l.name, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("not dumpable: %w", err)
	}
	// A change of identity clears what the parent set, see prctl(2).
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("parent death signal: %w", err)
	}
	return nil
}

// lower sets a limit, unless it is already lower.
func lower(resource int, limit uint64) error {
	var old unix.Rlimit
	if err := unix.Getrlimit(resource, &old); err != nil {
		return err
	}
	limit = min(limit, old.Max)
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit})
}

// addressSpace returns the size of the process in bytes, see proc(5), statm.
func addressSpace() (uint64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages uint64
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return 0, err
	}
	return pages * uint64(os.Getpagesize()), nil
}
