package account

import (
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A part of the machine is what the daemon takes by default.
const (
	memoryPart = 4 // one quarter
	// keptFiles is how many descriptors are kept for the daemon itself.
	keptFiles = 128
)

// ForMachine returns the limits for a daemon on this machine: a quarter of the memory, or of
// what the control group may have if that is less, and the descriptors that this process may
// open, except for some.
func ForMachine() Limits { return Default(available("/")/memoryPart, descriptors()) }

// descriptors returns how many files the users of this process may have open.
func descriptors() int64 {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil || r.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return max(int64(r.Cur)-keptFiles, keptFiles)
}

// available returns the bytes of memory that this process could use: those of the machine, or
// the least that a control group above it may have. root is the folder of proc and sys.
func available(root string) int64 {
	least := int64(math.MaxInt64)
	if text, err := os.ReadFile(path.Join(root, "proc/meminfo")); err == nil {
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" {
				if kb, err := strconv.ParseInt(f[1], 10, 53); err == nil {
					least = kb << 10
				}
			}
		}
	}
	for _, g := range groups(root) {
		if n, ok := number(path.Join(root, "sys/fs/cgroup", g)); ok {
			least = min(least, n)
		}
	}
	if least == math.MaxInt64 {
		return 4 << 30 // nothing is known
	}
	return least
}

// groups returns the files with the limits of the control groups of this process: cgroup v2,
// from its own up to the root, and v1.
func groups(root string) (files []string) {
	text, err := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		folder, file := "", "memory.max"
		switch {
		case f[1] == "memory":
			folder, file = "memory", "memory.limit_in_bytes"
		case f[0] != "0":
			continue
		}
		for at := path.Clean("/" + f[2]); ; at = path.Dir(at) {
			files = append(files, path.Join(folder, at, file))
			if at == "/" {
				break
			}
		}
	}
	return files
}

// number reads a file with a number; "max" is none.
func number(name string) (int64, bool) {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil && n > 0
}
