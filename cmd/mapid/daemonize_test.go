package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
)

// group is a device group without devices in any real configuration.
const group = "9999"

func testConfig(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "mapi.conf")
	text := "[driver]\ndevice=lo\ndriver=mapinicdrv.so\ndevgroup=" + group + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// detached is a mapid in the background, with socket "s" and PID file "pid" in
// dir.
func detached(t *testing.T, dir string, args ...string) *exec.Cmd {
	args = append([]string{"-d", "-g", group, "--pidfile", "pid"}, args...)
	if !slices.Contains(args, "--config") {
		args = append(args, "--config", testConfig(t))
	}
	if !slices.Contains(args, "--socket") {
		args = append(args, "--socket", "s")
	}
	cmd := exec.Command("mapid", args...)
	cmd.Dir = dir
	return cmd
}

// TestDetach starts mapid -d and inspects the process from outside.
func TestDetach(t *testing.T) {
	dir := t.TempDir()
	sock, pidFile := filepath.Join(dir, "s"), filepath.Join(dir, "pid")
	out, err := detached(t, dir).CombinedOutput()
	if err != nil || len(out) != 0 {
		t.Fatalf("mapid -d: %v, output %q", err, out)
	}
	// The process reported that it is ready, so this must succeed at once.
	pid := listener(t, sock)
	proc := "/proc/" + strconv.Itoa(pid)
	if cwd, _ := os.Readlink(proc + "/cwd"); cwd != "/" {
		t.Errorf("working directory %q", cwd)
	}
	for _, fd := range []string{"0", "1", "2"} {
		if to, _ := os.Readlink(proc + "/fd/" + fd); to != os.DevNull {
			t.Errorf("descriptor %s is %q", fd, to)
		}
	}
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("session %d, %v, want its own, %d", sid, err, pid)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil || string(text) != strconv.Itoa(pid)+"\n" {
		t.Errorf("pid file %q, %v, want %d", text, err, pid)
	}
	end(t, pid, unix.SIGTERM)
	for _, path := range []string{sock, pidFile} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s remains: %v", path, err)
		}
	}
}

// listener returns the PID of the process that listens on a socket. The kernel
// gives the listener's credentials to a connecting process (unix(7),
// SO_PEERCRED).
func listener(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatalf("connect to %s: %v", path, err)
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		t.Fatal(err)
	}
	return int(cred.Pid)
}

// end sends a signal to a process and waits until it is gone.
func end(t *testing.T, pid int, sig unix.Signal) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	testenv.Until(t, fmt.Sprintf("process %d ends after %v", pid, sig), func() bool {
		n, _ := unix.Poll(poll, 1000)
		return n == 1
	})
}

// TestDetachFails checks that the waiting process reports why the other failed.
func TestDetachFails(t *testing.T) {
	sock := filepath.Join(t.TempDir(), strings.Repeat("x", 200)) // exceeds sun_path
	out, err := detached(t, t.TempDir(), "--socket", sock).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("mapid -d: %v, want exit code 1", err)
	}
	if !bytes.HasPrefix(out, []byte("mapid: ")) || !bytes.Contains(out, []byte(sock)) {
		t.Errorf("output %q, want the reason", out)
	}
}

// TestAwaitReady has a process that ends without a message.
func TestAwaitReady(t *testing.T) {
	proc, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "exit 3"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	err = awaitReady(proc, strings.NewReader(""))
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready: exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT} {
		dir := t.TempDir()
		sock := filepath.Join(dir, "s")
		if out, err := detached(t, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		end(t, listener(t, sock), sig)
		if _, err := os.Stat(sock); !os.IsNotExist(err) {
			t.Errorf("%v: socket remains: %v", sig, err)
		}
	}
}

// TestServeFD passes one connection to mapid and closes it.
func TestServeFD(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "theirs")
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "mapid", "--serve-fd", "3")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	testenv.Until(t, "a daemon with one client ignores SIGHUP", func() bool { return ignores(t, cmd.Process.Pid) })
	unix.Close(pair[0])
	if err := cmd.Wait(); err != nil || out.Len() != 0 {
		t.Errorf("mapid ends with %v, output %q", err, out.String())
	}
}

func TestInherited(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, _ := unix.Dup(int(w.Fd()))
	w.Close()
	if _, err := inherited(fd); err == nil {
		t.Error("a pipe was accepted as a socket")
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	conn, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f, _ := conn.(*net.TCPConn).File()
	conn.Close()
	fd, _ = unix.Dup(int(f.Fd()))
	f.Close()
	if _, err := inherited(fd); err == nil || !strings.Contains(err.Error(), "not a Unix socket") {
		t.Errorf("a TCP connection was accepted as a Unix socket: %v", err)
	}
}
