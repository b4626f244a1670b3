package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// treeOf returns a process and its children, and theirs (proc_pid_task_tid_children(5)).
func treeOf(pid int) ([]int, error) {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if gone(err) {
				continue // a thread that has ended meanwhile
			}
			if err != nil {
				return nil, err
			}
			for child := range strings.FieldsSeq(string(text)) {
				var id int
				if _, err := fmt.Sscan(child, &id); err != nil {
					return nil, fmt.Errorf("%s says %q: %w", path, text, err)
				}
				all = append(all, id)
			}
		}
	}
	return all, nil
}

// gone reports whether an error says that a process is no more.
func gone(err error) bool { return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// cpuOfTree returns the CPU time of a process and its children that run.
func cpuOfTree(pid int) (sum time.Duration, err error) {
	pids, err := treeOf(pid)
	if err != nil {
		return 0, err
	}
	return cpuOfAll(pids)
}

func cpuOfAll(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		used, err := cpuOf(pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// memoryOf returns the memory of a process and its children, in bytes. Memory that a
// process shares with its clients counts once, where the process itself has it.
func memoryOf(pid int) (sum uint64, err error) {
	pids, err := treeOf(pid)
	if err != nil {
		return 0, err
	}
	for i, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if gone(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += resident(string(status), i == 0)
	}
	return sum, nil
}

// resident adds up the lines of proc_pid_status(5), with shared memory or without.
func resident(status string, shared bool) (sum uint64) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		if name == "RssAnon" || name == "RssFile" || name == "RssShmem" && shared {
			var kb uint64
			if _, err := fmt.Sscan(value, &kb); err == nil {
				sum += kb << 10
			}
		}
	}
	return sum
}

// mib is bytes in MiB.
func mib(bytes uint64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }
