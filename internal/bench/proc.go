package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf returns the CPU time, user and system, that all threads of processes have used so
// far (clock_getres(2): the clock of a process is ~pid<<3|2).
func cpuOf(pids ...int) (sum time.Duration) {
	for _, pid := range pids {
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
			fail("CPU clock of process %d: %w", pid, err)
		}
		sum += time.Duration(ts.Nano())
	}
	return sum
}

// treeOf returns a process and its children, and theirs (proc_pid_task_tid_children(5)).
func treeOf(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))) {
			for child := range strings.FieldsSeq(readProc(path)) {
				var id int
				must(fmt.Sscan(child, &id))
				all = append(all, id)
			}
		}
	}
	return all
}

// readProc reads a file of /proc, which is empty when its process or thread has ended.
func readProc(path string) string {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return ""
	}
	return string(must(text, err))
}

// statusOf adds up lines of a file that is as proc_pid_status(5) says.
func statusOf(path string, names ...string) (sum uint64) {
	for line := range strings.Lines(readProc(path)) {
		if name, value, _ := strings.Cut(line, ":"); slices.Contains(names, name) {
			var n uint64
			must(fmt.Sscan(value, &n))
			sum += n
		}
	}
	return sum
}

// mib is bytes in MiB.
func mib(bytes uint64) string { return fixed(float64(bytes)/(1<<20), 1) }

// memoryOf returns the memory of a process and its children, in bytes. Memory that a
// process shares with its clients counts once, where the process itself has it.
func memoryOf(pid int) (sum uint64) {
	sum = statusOf(fmt.Sprintf("/proc/%d/status", pid), "RssShmem")
	for _, p := range treeOf(pid) {
		sum += statusOf(fmt.Sprintf("/proc/%d/status", p), "RssAnon", "RssFile")
	}
	return sum << 10
}

// switchesOf returns how often the kernel has switched away from the threads of a process.
func switchesOf(pid int) (sum uint64) {
	for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))) {
		sum += statusOf(path, "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
	}
	return sum
}

// filesOf returns how many files a process has open.
func filesOf(pid int) int { return len(must(os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)))) }
