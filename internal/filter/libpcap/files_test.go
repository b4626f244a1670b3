package libpcap

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A prober's parent is this test run again as another user. It starts its own prober, so
// that only confinement separates the two.
const (
	parentName = "mapi-filter-prober-parent"
	secretName = "MAPI_TEST_SECRET" // names a file of that user
)

// foreign returns files that a child must not access.
func foreign() []string {
	return []string{
		os.Getenv(secretName), "/", "/etc", filepath.Dir(os.Getenv(secretName)), "/dev/zero",
		fmt.Sprintf("/proc/%d/mem", parent), fmt.Sprintf("/proc/%d/environ", parent),
		fmt.Sprintf("/proc/%d/maps", parent), fmt.Sprintf("/proc/%d/fd/0", parent),
		fmt.Sprintf("/proc/%d/root", parent),
	}
}

// openable returns the foreign files that can be read.
func openable() []string {
	opened := []string{}
	for _, path := range foreign() {
		if path != "" && open(path, unix.O_RDONLY) == nil {
			opened = append(opened, path)
		}
	}
	return opened
}

// probeAsParent is the main of a prober's parent.
func probeAsParent() int {
	if os.Getenv(secretName) != "" && open(os.Getenv(secretName), unix.O_RDONLY) != nil {
		fmt.Fprintln(os.Stderr, "the secret is not the user's own")
		return 1
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{proberName}, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// secret creates a file that only the user can read.
func secret(t *testing.T, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := errors.Join(os.Chown(dir, uid, uid), os.Chown(path, uid, uid)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestConfinedFiles: a child of an unprivileged daemon has the daemon's identity, but can
// read neither the user's files nor the daemon's memory.
func TestConfinedFiles(t *testing.T) {
	if landlockVersion() < 1 {
		t.Skip("the kernel has no Landlock")
	}
	const uid = 12345
	r := probed(t, func(cmd *exec.Cmd) {
		cmd.Path = executable(t)
		cmd.Args[0] = parentName
		cmd.Env = append(os.Environ(), secretName+"="+secret(t, uid))
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		}
	})
	checkReport(t, r)
	if len(r.Opened) > 0 {
		t.Errorf("a confined child can open %v", r.Opened)
	}
}

// TestConfinedInUserNamespace: in a user namespace without nobody, root serves without
// capabilities and cannot read files of the user that it is outside.
func TestConfinedInUserNamespace(t *testing.T) {
	r := probedIn(t, &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	})
	checkReport(t, r)
	if landlockVersion() >= 1 && len(r.Opened) > 0 {
		t.Errorf("a confined child can open %v", r.Opened)
	}
}

func probedIn(t *testing.T, attr *syscall.SysProcAttr) report {
	t.Helper()
	path := secret(t, os.Getuid())
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{parentName, "1073741824", "600"}
	cmd.Env = append(os.Environ(), secretName+"="+path)
	cmd.SysProcAttr = attr
	out, err := cmd.Output()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) {
		t.Skipf("no user namespace can be made: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return r
}

// TestRootMustBecomeNobody: root that is not allowed to become nobody does not serve, and
// the error names the remedy.
func TestRootMustBecomeNobody(t *testing.T) {
	if os.Getuid() != 0 || inUserNamespace() {
		t.Skip("needs root of the first user namespace")
	}
	reports := make(chan report, 1)
	go func() {
		defer close(reports)
		runtime.LockOSThread() // the thread, with its missing capabilities, ends with the goroutine
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SETUID, 0, 0, 0); err != nil {
			t.Error(err)
			return
		}
		cmd := exec.Command("/proc/self/exe")
		cmd.Args = []string{proberName, "1073741824", "600"}
		out, err := cmd.Output()
		var r report
		if err := errors.Join(err, json.Unmarshal(out, &r)); err != nil {
			t.Error(err)
			return
		}
		reports <- r
	}()
	if r := <-reports; !strings.Contains(r.Unready, "cannot become nobody") || !strings.Contains(r.Unready, "CAP_SETUID") {
		t.Errorf("root without CAP_SETUID: %s", r.Unready)
	}
}

// niceOf returns the nice values in files like /proc/self/task/1/stat, proc(5).
func niceOf(threads []string) []string {
	const nice = 16 // counted from the state, after the name in parentheses
	var all []string
	for _, f := range threads {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		text := string(b)
		all = append(all, strings.Fields(text[strings.LastIndexByte(text, ')')+1:])[nice])
	}
	return all
}

// own returns the nice value of the test.
func own(t *testing.T) int {
	t.Helper()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - raw
}
