package libpcap

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A prober is this test run again as a confined child. It tries what it must not be able
// to do and reports the results.
const proberName = "mapi-filter-prober"

type report struct {
	Unready  string
	Allowed  []string // misdeeds that succeeded
	Status   string   // /proc/self/status
	Limits   string   // /proc/self/limits
	Nice     []string // of each thread
	Opened   []string // other people's files
	Services bool     // /etc/services can be read
	Resolves string   // error of a host name
	Compiles string   // error of a valid expression
}

// parent is determined before a child is confined, because it may not ask afterwards.
var parent = os.Getppid()

// misdeeds maps what a child must not be able to do to an attempt. Each uses the raw
// system call, like code that took over the child.
var misdeeds = map[string]func() error{
	"socket inet":    func() error { return call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM, 0) },
	"socket inet6":   func() error { return call(unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, 0) },
	"socket unix":    func() error { return call(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0) },
	"socket netlink": func() error { return call(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, 0) },
	"socket packet":  func() error { return call(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW, 0) },
	"socketpair":     func() error { return call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM, 0) },
	"connect":        func() error { return notPermitted(call(unix.SYS_CONNECT, 0, 0, 0)) },
	"fork":           func() error { return call(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0) },
	"clone3":         func() error { return missing(call(unix.SYS_CLONE3, 0, 0, 0)) },
	"execve":         func() error { return notPermitted(call(unix.SYS_EXECVE, 0, 0, 0)) },
	"execveat":       func() error { return notPermitted(call(unix.SYS_EXECVEAT, 0, 0, 0)) },
	"ptrace":         func() error { return call(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0) },
	"signal parent":  func() error { return notPermitted(call(unix.SYS_KILL, uintptr(parent), 0, 0)) },
	"signal thread":  func() error { return notPermitted(call(unix.SYS_TGKILL, uintptr(parent), uintptr(parent), 0)) },
	"write file":     func() error { return open("/dev/null", unix.O_WRONLY) },
	"create file":    func() error { return open("/tmp/mapi-prober", unix.O_CREAT|unix.O_RDONLY) },
	"temporary file": func() error { return open("/tmp", unix.O_TMPFILE|unix.O_RDWR) },
	"bpf":            func() error { return notPermitted(call(unix.SYS_BPF, 0, 0, 0)) },
	"io_uring":       func() error { return notPermitted(call(unix.SYS_IO_URING_SETUP, 0, 0, 0)) },
	"mount":          func() error { return notPermitted(call(unix.SYS_MOUNT, 0, 0, 0)) },
	"unshare":        func() error { return call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER, 0, 0) },
	"chmod":          func() error { return notPermitted(call(unix.SYS_FCHMODAT, 0, 0, 0)) },
	"memfd":          func() error { return notPermitted(call(unix.SYS_MEMFD_CREATE, 0, 0, 0)) },
	"process memory": func() error { return notPermitted(call(unix.SYS_PROCESS_VM_WRITEV, 0, 0, 0)) },
	"new limits":     func() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) },
	"code in memory": func() error {
		return call(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC)
	},
}

// call makes a raw system call and undoes it if it succeeds.
func call(number, a, b, c uintptr) error {
	r, _, errno := unix.RawSyscall6(number, a, b, c, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, 0, 0)
	switch {
	case errno != 0:
		return errno
	case number == unix.SYS_CLONE && r == 0:
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	case number == unix.SYS_SOCKET:
		unix.Close(int(r))
	case number == unix.SYS_MMAP:
		unix.RawSyscall(unix.SYS_MUNMAP, r, b, 0)
	}
	return nil
}

func open(path string, flags int) error {
	fd, err := unix.Open(path, flags, 0o600)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// notPermitted passes only EPERM, which comes from the filter: without it, calls with
// invalid arguments fail with other errors.
func notPermitted(err error) error {
	if err == unix.EPERM {
		return err
	}
	return nil
}

func missing(err error) error {
	if err == unix.ENOSYS {
		return err
	}
	return nil
}

// probe is the main of a prober.
func probe() int {
	out := os.Stdout
	err := shed()
	threads, _ := filepath.Glob("/proc/self/task/*/stat") // later threads inherit the nice value of their creator
	if err == nil {
		err = confine(os.Args)
	}
	r := report{Unready: fmt.Sprint(err), Allowed: []string{}}
	if err != nil {
		return r.write(out)
	}
	for name, try := range misdeeds {
		if try() == nil {
			r.Allowed = append(r.Allowed, name)
		}
	}
	r.Opened, r.Nice = openable(), niceOf(threads)
	status, _ := os.ReadFile("/proc/self/status")
	limits, _ := os.ReadFile("/proc/self/limits")
	r.Status, r.Limits = string(status), string(limits)
	services, _ := os.ReadFile("/etc/services")
	r.Services = len(services) > 0
	_, err = Compile("host localhost", 1)
	r.Resolves = fmt.Sprint(err)
	_, err = Compile("port http or proto gre", 1)
	r.Compiles = fmt.Sprint(err)
	return r.write(out)
}

func (r report) write(out *os.File) int {
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return 1
	}
	return 0
}

// probed runs a prober prepared by attr.
func probed(t *testing.T, attr func(*exec.Cmd)) report {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{proberName, "1073741824", "600"}
	cmd.Stderr = os.Stderr
	attr(cmd)
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	return r
}

func checkReport(t *testing.T, r report) {
	t.Helper()
	if r.Unready != "<nil>" {
		t.Fatal(r.Unready)
	}
	if len(r.Allowed) > 0 {
		t.Errorf("a confined child can do this: %v", r.Allowed)
	}
	for _, line := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapAmb:\t0000000000000000"} {
		if !strings.Contains(r.Status, line) {
			t.Errorf("status lacks %q:\n%s", line, r.Status)
		}
	}
	for _, line := range []string{"Max core file size 0 0", "Max cpu time 600 600", "Max file size 0 0"} {
		if !strings.Contains(strings.Join(strings.Fields(r.Limits), " "), line) {
			t.Errorf("limits lack %q:\n%s", line, r.Limits)
		}
	}
	if strings.Contains(strings.Join(strings.Fields(r.Limits), " "), "Max address space unlimited") {
		t.Error("the address space is not limited")
	}
	if n := own(t) + niceness; slices.ContainsFunc(r.Nice, func(nice string) bool { return nice != strconv.Itoa(min(n, 19)) }) || len(r.Nice) == 0 {
		t.Errorf("threads are nice by %v, want %d", r.Nice, n)
	}
	if !strings.Contains(r.Resolves, "not looked up") || r.Compiles != "<nil>" || !r.Services {
		t.Errorf("host name %q, service %q, /etc/services %v", r.Resolves, r.Compiles, r.Services)
	}
}

func TestConfined(t *testing.T) {
	r := probed(t, func(*exec.Cmd) {})
	checkReport(t, r)
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	everybody := strings.Contains(string(ids), "4294967295") // this is not so in many containers
	if os.Getuid() != 0 || !everybody {
		return
	}
	if !strings.Contains(r.Status, "Uid:\t65534\t65534\t65534\t65534") {
		t.Errorf("a child of root is not nobody:\n%s", r.Status)
	}
	if !strings.Contains(strings.Join(strings.Fields(r.Limits), " "), "Max processes 4096 4096") {
		t.Errorf("threads of nobody are not limited:\n%s", r.Limits)
	}
}

// TestMisdeedsAreTried: without confinement every misdeed must succeed, otherwise the
// test above proves nothing.
func TestMisdeedsAreTried(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: without it the kernel refuses by itself")
	}
	for _, name := range []string{"socket inet", "socket unix", "socket packet", "write file", "signal parent", "signal thread", "execve", "bpf", "mount", "code in memory", "clone3"} {
		if misdeeds[name]() != nil {
			t.Errorf("%s fails in a process that is not confined", name)
		}
	}
}

// TestConfinedWithAmbientCapabilities: a daemon that is not root but has capabilities,
// for example from systemd, must not pass them to the child.
func TestConfinedWithAmbientCapabilities(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to give capabilities away")
	}
	r := probed(t, func(cmd *exec.Cmd) {
		cmd.Path = executable(t)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential:  &syscall.Credential{Uid: 12345, Gid: 12345},
			AmbientCaps: []uintptr{unix.CAP_NET_RAW, unix.CAP_DAC_READ_SEARCH},
		}
	})
	checkReport(t, r)
	if !strings.Contains(r.Status, "Uid:\t12345\t12345") {
		t.Errorf("the identity changed:\n%s", r.Status)
	}
}

// executable returns a copy of this program that every user may run.
func executable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "prober")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "prober")
	if err := errors.Join(os.WriteFile(path, b, 0o755), os.Chmod(dir, 0o755), os.Chmod(path, 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}
