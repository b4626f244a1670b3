package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a program that is measured.
type process struct{ cmd *exec.Cmd }

// stop ends the process and waits for it; one that takes long is killed. Twice is fine.
func (p process) stop() {
	_ = p.cmd.Process.Signal(unix.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	_ = p.cmd.Wait()
}

func (p process) pid() int { return p.cmd.Process.Pid }

// cpu returns the CPU time, user and system, that the process has used so far.
func (p process) cpu() (time.Duration, error) { return cpuOf(p.cmd.Process.Pid) }

// cpuOf returns the CPU time of all threads of a process (clock_getres(2): the
// clock of a process is ~pid<<3|2).
func cpuOf(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// switchesOf returns how often the kernel has switched away from the threads of
// a process (proc_pid_status(5)).
func switchesOf(pid int) (n uint64, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return 0, err
	}
	for _, path := range files {
		status, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(status)) {
			if name, value, _ := strings.Cut(line, ":"); strings.HasSuffix(name, "voluntary_ctxt_switches") {
				var count uint64
				if _, err := fmt.Sscan(value, &count); err != nil {
					return 0, fmt.Errorf("%s says %q: %w", path, line, err)
				}
				n += count
			}
		}
	}
	return n, nil
}

// filesOf returns how many files a process has open.
func filesOf(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries), err
}
