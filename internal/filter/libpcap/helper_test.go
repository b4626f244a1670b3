package libpcap

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
)

func newHelper(t testing.TB, o filter.HelperOptions) *filter.Helper {
	t.Helper()
	h := filter.NewHelper(o)
	t.Cleanup(func() { h.Close() })
	return h
}

// children returns the processes that this process has started.
func children(t *testing.T) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(files) == 0 {
		t.Skipf("the kernel does not list children: %v", err)
	}
	var pids []int
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		for _, pid := range strings.Fields(string(b)) {
			n, err := strconv.Atoi(pid)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, n)
		}
	}
	return pids
}

func TestHelper(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	for _, expr := range []string{"tcp and dst port 80", "port http", "proto gre", "ip6 host ::1", hosts(100)} {
		p, err := h.Compile(t.Context(), expr, 1)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := Compile(expr, 1)
		if err != nil || !slices.Equal(raw, p.Raw()) {
			t.Errorf("%s: the child's program differs (%v)", filter.Quote(expr), err)
		}
	}
	for expr, text := range map[string]string{
		"host localhost": "host names are not looked up: use addresses",
		"net loopback":   "host names are not looked up: use addresses",
		"tcp and and":    "syntax error",
	} {
		_, err := h.Compile(t.Context(), expr, 1)
		if mapierr.CodeOf(err, 0) != mapierr.PcapBPF || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v; want 1025 with %q", expr, err, text)
		}
	}
}

func TestHelperParallel(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{Max: 3})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				port := 1 + i*20 + j
				p, err := h.Compile(t.Context(), fmt.Sprintf("dst port %d", port), 1)
				if err != nil {
					t.Error(err)
					return
				}
				data := make([]byte, 64)
				data[12], data[14], data[23], data[37] = 8, 0x45, 17, byte(port)
				if !p.Match(data, 64) {
					t.Errorf("the program for port %d does not match it", port)
				}
			}
		})
	}
	wg.Wait()
}

// TestHelperTimeout: an expression for which libpcap needs seconds is stopped in time,
// and the next one gets a child.
func TestHelperTimeout(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{Timeout: time.Second})
	ready := func() bool { // a child starts in time, if the machine allows it
		_, err := h.Compile(t.Context(), "tcp", 1)
		return err == nil
	}
	testenv.Until(t, "there is a child", ready)
	_, err := h.Compile(t.Context(), strings.Repeat("host 1.2.3.4 or ", 2000)+"ip", 1)
	if mapierr.CodeOf(err, 0) != mapierr.PcapBPF || !strings.Contains(err.Error(), "needs more than 1s") {
		t.Errorf("%v, want 1025 for the time", err)
	}
	testenv.Until(t, "there is another child", ready)
}

func TestHelperNested(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	for _, expr := range []string{strings.Repeat("(", 30000), strings.Repeat("not ", 8000), "ip" + strings.Repeat("[ip", 8000)} {
		_, err := h.Compile(t.Context(), expr, 1)
		if mapierr.CodeOf(err, 0) != mapierr.PcapBPF {
			t.Errorf("%s: %v, want 1025", filter.Quote(expr), err)
		}
	}
	if _, err := h.Compile(t.Context(), "tcp", 1); err != nil {
		t.Error(err)
	}
}

// TestHelperCrash: a request whose child is killed is tried again in a new one. A second crash
// fails the request and no other one.
func TestHelperCrash(t *testing.T) {
	before := children(t)
	h := newHelper(t, filter.HelperOptions{Timeout: time.Minute})
	if _, err := h.Compile(t.Context(), "tcp", 1); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := h.Compile(t.Context(), strings.Repeat("host 1.2.3.4 or ", 2000)+"ip", 1)
		done <- err
	}()
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV} {
		var started []int
		testenv.Until(t, "there is a child", func() bool {
			started = slices.DeleteFunc(children(t), func(pid int) bool { return slices.Contains(before, pid) })
			return len(started) == 1
		})
		waitBusy(t, started[0])
		if err := syscall.Kill(started[0], signal); err != nil {
			t.Fatal(err)
		}
		before = append(before, started[0])
	}
	if err := <-done; mapierr.CodeOf(err, 0) != mapierr.PcapBPF || !strings.Contains(err.Error(), "crashes the compiler") {
		t.Errorf("%v, want 1025 and a crash", err)
	}
	if _, err := h.Compile(t.Context(), "tcp", 1); err != nil {
		t.Error(err)
	}
}

// waitBusy returns when the process has computed for longer than its start takes, so its request
// has arrived. It reads utime from /proc/pid/stat, proc(5).
func waitBusy(t *testing.T, pid int) {
	t.Helper()
	ticks := func() int {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')'):]))
		n, err := strconv.Atoi(fields[12])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := ticks()
	testenv.Until(t, fmt.Sprintf("process %d is at work", pid), func() bool { return ticks() >= first+30 })
}

func TestHelperCloseReaps(t *testing.T) {
	before := children(t)
	h := filter.NewHelper(filter.HelperOptions{Max: 3})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := h.Compile(t.Context(), hosts(50), 1); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if after := children(t); len(after) > len(before) {
		t.Errorf("children %v are left", after)
	}
}

// TestHelperDescriptors: the child has only its pipes and the files of the Go runtime,
// and no file that the daemon left open by mistake.
func TestHelperDescriptors(t *testing.T) {
	before := children(t)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0) // open across exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	h := newHelper(t, filter.HelperOptions{})
	if _, err := h.Compile(t.Context(), "tcp", 1); err != nil {
		t.Fatal(err)
	}
	for _, pid := range children(t) {
		if slices.Contains(before, pid) {
			continue
		}
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil || len(fds) == 0 {
			t.Skip("needs root to look at the child's descriptors")
		}
		for _, fd := range fds {
			to, _ := os.Readlink(fd)
			harmless := func(prefix string) bool { return strings.HasPrefix(to, prefix) }
			if !slices.ContainsFunc([]string{"/dev/null", "pipe:", "anon_inode:", "/sys/fs/cgroup/"}, harmless) {
				t.Errorf("the child holds %s", to)
			}
		}
	}
}

func BenchmarkHelper(b *testing.B) {
	h := newHelper(b, filter.HelperOptions{})
	for b.Loop() {
		if _, err := h.Compile(b.Context(), "tcp and dst port 80", 1); err != nil {
			b.Fatal(err)
		}
	}
}
