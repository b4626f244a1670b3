// Package leak makes the tests of a package fail if they leak goroutines, open
// files, or mappings of sockets or memory files. Usage:
//
//	func TestMain(m *testing.M) { leak.Main(m) }
//
// It is for tests only. Tests must not contain other short waits than those in
// this package, which give threads and the like time to end.
package leak

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gomapi/internal/testenv"
)

const patience = testenv.Patience

// Main runs the tests and exits. It also fails if the tests passed but
// something leaked.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	startPoller()
	before, err := Held()
	if err != nil {
		return complain(err)
	}
	if code := m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		return complain(err)
	}
	if err := Since(before); err != nil {
		return complain(err)
	}
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "leak:", err)
	return 1
}

// startPoller makes the runtime open the files of its network poller before the
// first count, because they stay open.
func startPoller() {
	r, w, err := os.Pipe()
	if err == nil {
		r.Close()
		w.Close()
	}
}

// A Snapshot counts the resources of the process by kind.
type Snapshot map[string]int

// Held returns the current resources of the process: targets of its
// descriptors, and mappings of sockets and memory files.
func Held() (Snapshot, error) {
	s := make(Snapshot)
	if err := s.addFiles(); err != nil {
		return nil, err
	}
	return s, s.addMappings()
}

// Since waits until the process holds no more than before. If this does not
// happen, the error lists the leaks.
func Since(before Snapshot) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		now, err := Held()
		if err != nil {
			return err
		}
		left := now.beyond(before)
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("left behind:\n\t%s", strings.Join(left, "\n\t"))
		}
	}
}

func (s Snapshot) beyond(before Snapshot) []string {
	var left []string
	for what, n := range s {
		if extra := n - before[what]; extra > 0 {
			left = append(left, fmt.Sprintf("%d x %s", extra, what))
		}
	}
	sort.Strings(left)
	return left
}

func (s Snapshot) addFiles() error {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		// The descriptor that read the directory is already closed.
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			s["file "+target]++
		}
	}
	return nil
}

// addMappings reads /proc/self/maps (proc(5)). Its sixth column is the name.
func (s Snapshot) addMappings() error {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		cols := strings.Fields(lines.Text())
		if len(cols) < 6 {
			continue
		}
		if strings.HasPrefix(cols[5], "socket:") || strings.HasPrefix(cols[5], "/memfd:") {
			s["mapping "+cols[5]]++
		}
	}
	return lines.Err()
}
