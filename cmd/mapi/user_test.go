package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/tracegen"
)

// TestUnprivileged counts as a user without any rights: files work, devices do
// not.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	dir := t.TempDir()
	// Test directories are closed to other users.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "trace.pcap")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum, err := tracegen.Write(f, 3000, 2)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret.pcap")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		code   int
		stdout string // a substring
		stderr string // a substring
	}{
		{[]string{"count", "-r", file}, exitDone, fmt.Sprintf("%d packets, %d bytes\n", sum.Packets, sum.Bytes), ""},
		{[]string{"count", "--json", "-r", file, "tcp or (vlan and tcp)"}, exitDone, fmt.Sprintf(`"packets":%d,`, sum.TCP), ""},
		{[]string{"count", "-d", "lo"}, exitRefused, "", "CAP_NET_RAW"},
		{[]string{"count", "-r", secret}, exitRefused, "", "permission denied"},
		{[]string{"info", "devices", "--private", "--json"}, exitDone, `"status":"unavailable","unavailable":"interface lo: capture needs`, ""},
	} {
		out, errs, code := asNobody(t, "/nonexistent", c.args...)
		if code != c.code || !strings.Contains(out, c.stdout) || !strings.Contains(errs, c.stderr) {
			t.Errorf("%q: exit code %d, want %d\n%s\n%s", c.args, code, c.code, out, errs)
		}
		if c.stdout == "" && out != "" {
			t.Errorf("%q prints %q", c.args, out)
		}
	}
}

// TestRefused has a daemon whose socket is closed to others, a daemon of
// another user, and no daemon. Only the last case starts a private daemon.
func TestRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	for _, c := range []struct {
		name   string
		listen func(t *testing.T, path string)
		code   int
		stderr string // a substring
	}{
		{"closed", func(t *testing.T, path string) { listen(t, path, 0o700) }, exitRefused, "permission denied"},
		{"nobody's", listenAsOther, exitRefused, "belongs to user"},
		{"left over", func(t *testing.T, path string) { listen(t, path, 0o777).Close() }, exitDone, "starting a private mapid"},
		{"none", func(*testing.T, string) {}, exitDone, "starting a private mapid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home, err := os.MkdirTemp("/tmp", "home")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(home) })
			if err := os.Chmod(home, 0o777); err != nil {
				t.Fatal(err)
			}
			c.listen(t, filepath.Join(home, ".mapid.sock"))
			out, errs, code := asNobody(t, home, "info", "libraries")
			if code != c.code || !strings.Contains(errs, c.stderr) || (code == exitDone) != strings.Contains(out, "stdflib") {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, c.code, out, errs)
			}
			if _, errs, code := asNobody(t, home, "info", "flows"); code == exitDone || strings.Contains(errs, "private mapid") {
				t.Errorf("flows: exit code %d: %s", code, errs)
			}
		})
	}
}

// listen creates a socket on which nothing answers.
func listen(t *testing.T, path string, mode os.FileMode) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	t.Cleanup(func() { l.Close() })
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return l
}

// listenAsOther creates a socket as a third user. The kernel takes the identity
// of the listening thread (SO_PEERCRED in unix(7)).
func listenAsOther(t *testing.T, path string) {
	t.Helper()
	const other, same = 12345, ^uintptr(0)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	become := func(uid uintptr) {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, uid, same); errno != 0 {
			t.Fatal(errno)
		}
	}
	become(other)
	defer become(0)
	listen(t, path, 0o777)
}

// asNobody runs mapi as a user without rights.
func asNobody(t *testing.T, home string, args ...string) (stdout, stderr string, code int) {
	const nobody = 65534
	var out, errs strings.Builder
	cmd := exec.Command(filepath.Join(bin, "mapi"), args...)
	cmd.Dir = "/"
	cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin"}
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
