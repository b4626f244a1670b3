package libpcap

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// limit bounds the process: memory in bytes beyond what it has, cpu in
// seconds. It will leave no core file, and die with the thread that started it.
func limit(memory, cpu uint64) error {
	size, err := addressSpace()
	if err != nil {
		return fmt.Errorf("address space: %w", err)
	}
	limits := []struct {
		name     string
		resource int
		max      uint64
	}{
		{"core file", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"descriptors", unix.RLIMIT_NOFILE, 32},
		{"processor time", unix.RLIMIT_CPU, cpu},
		{"address space", unix.RLIMIT_AS, size + memory},
	}
	for _, l := range limits {
		if err := lower(l.resource, l.max); err != nil {
			return fmt.Errorf("limit %s: %w", l.name, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("not dumpable: %w", err)
	}
	// A change of identity has undone what the parent set, see prctl(2).
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("parent death signal: %w", err)
	}
	return nil
}

// lower sets a limit, unless it is lower already.
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
