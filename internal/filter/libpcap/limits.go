package libpcap

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// niceness is added to the daemon's, so that the daemon's capture threads have priority.
const niceness = 10

// giveWay lowers the priority of all threads of the process. It makes a process group for
// this, because setpriority(2) takes one thread or a group.
func giveWay() error {
	if os.Getpid() != unix.Getpgrp() {
		if err := unix.Setpgid(0, 0); err != nil {
			return err
		}
	}
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return err
	}
	nice := 20 - raw // the raw system call returns it so, unlike the C library
	return unix.Setpriority(unix.PRIO_PGRP, 0, min(nice+niceness, 19))
}

// limit limits the process: memory in bytes in addition to the current size, cpu in
// seconds. It also disables core files, and the process then dies with the thread that
// started it.
func limit(memory, cpu uint64) error {
	size, err := addressSpace()
	if err != nil {
		return fmt.Errorf("address space: %w", err)
	}
	lowering := func(name string, resource int, most uint64) step {
		return step{"limit " + name, func() error { return lower(resource, most) }}
	}
	steps := []step{
		lowering("core file", unix.RLIMIT_CORE, 0),
		lowering("file size", unix.RLIMIT_FSIZE, 0),
		lowering("descriptors", unix.RLIMIT_NOFILE, 32),
		lowering("processor time", unix.RLIMIT_CPU, cpu),
		lowering("address space", unix.RLIMIT_AS, size+memory),
		{"not dumpable", func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }},
		// A change of identity clears what the parent set, see prctl(2).
		{"parent death signal", func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0) }},
	}
	if os.Getuid() == nobody {
		// This limit counts the threads of all processes of a user. A Go program that
		// cannot start a thread dies. So it is set only here, with room for others.
		steps = append(steps, lowering("threads", unix.RLIMIT_NPROC, 4096))
	}
	return inOrder(steps...)
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
