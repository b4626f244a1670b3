package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/config"
	"gomapi/internal/testenv"
)

func TestFixedKeys(t *testing.T) {
	start := &config.Config{Libs: []string{"stdflib"}, DimapiPort: 2233, LogLevel: 2,
		Formats: []config.FormatEntry{{Format: 0, Line: 3}, {Format: 2, Line: 7}}}
	same := *start
	same.Path, same.Devices = "other", []config.Device{{Name: "a"}}
	same.Formats = []config.FormatEntry{{Format: 2, Line: 1}, {Format: 0, Line: 9}}
	if keys := fixed(start, &same); keys != nil {
		t.Errorf("%v differ, want nothing", keys)
	}
	other := config.Config{LogFile: "/log", Local: true}
	want := []string{"dimapi_port", "log_level", "logfile", "local", "the list of [format] sections"}
	if keys := fixed(start, &other); !slices.Equal(keys, want) {
		t.Errorf("%v differ, want %v", keys, want)
	}
}

// TestReloaderKeepsLast checks that a missing file does not open all
// interfaces, even if the daemon started without a file.
func TestReloaderKeepsLast(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	auto, file := &setup{Config: config.Default()}, &setup{Config: &config.Config{Path: "mapi.conf"}}
	o := &options{config: filepath.Join(dir, "none")}
	log := newLogger(logSetup{})
	defer log.Close()
	r := newReloader(o, auto, newLibraries(nil), log)
	if _, err := r.read(); err == nil {
		t.Error("a file that was asked for is missing, and no error says so")
	}
	o.config, o.builtin = "", true
	if s, err := r.read(); err != nil || !s.Auto {
		t.Errorf("built-in configuration: %v", err)
	}
	r.last = file
	if _, err := r.read(); err == nil {
		t.Error("all interfaces after a file")
	}
}

// TestReloaderHangs ends while a read of the configuration file hangs.
func TestReloaderHangs(t *testing.T) {
	log := newLogger(logSetup{})
	defer log.Close()
	r := newReloader(&options{}, &setup{Config: config.Default()}, newLibraries(nil), log)
	reading, answer := make(chan struct{}), make(chan struct{})
	r.load = func(*options) (*setup, error) {
		close(reading)
		<-answer
		return nil, errors.New("too late")
	}
	ctx, stop := context.WithCancel(t.Context())
	hup := &hangUps{arrived: make(chan os.Signal, 1)}
	end := r.start(ctx, hup, stop)
	hup.arrived <- unix.SIGHUP
	<-reading
	end() // must return
	close(answer)
	end()
}

// lines passes the output of a process on, line by line.
func lines(t *testing.T, r io.Reader) (await func(text string)) {
	t.Helper()
	ch := make(chan string, 100)
	go func() { // ends with the process
		defer close(ch)
		var rest []byte
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			rest = append(rest, buf[:n]...)
			for i := bytes.IndexByte(rest, '\n'); i >= 0; i = bytes.IndexByte(rest, '\n') {
				ch <- string(rest[:i])
				rest = rest[i+1:]
			}
			if err != nil {
				return
			}
		}
	}()
	late := time.After(testenv.Patience)
	return func(text string) {
		t.Helper()
		for {
			select {
			case line, ok := <-ch:
				if !ok {
					t.Fatalf("the process has ended without the output %q", text)
				}
				if strings.Contains(line, text) {
					return
				}
			case <-late:
				t.Fatalf("the process does not say %q", text)
			}
		}
	}
}

// pty opens a pseudoterminal (pty(7)).
func pty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudoterminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// TestTerminalHangsUp checks that SIGHUP reloads while the terminal exists, and
// ends the daemon when the terminal is gone.
func TestTerminalHangsUp(t *testing.T) {
	master, slave := pty(t)
	sock := filepath.Join(t.TempDir(), "s")
	cmd := exec.CommandContext(t.Context(), "mapid", "-g", group, "--config", testConfig(t), "--socket", sock)
	cmd.Stdin = slave
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	await := lines(t, stderr)
	await("listening on")
	for range 3 {
		if err := cmd.Process.Signal(unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		await("the configuration was taken up")
	}
	master.Close()
	await("the terminal is gone")
	await("mapid ends")
	if err := cmd.Wait(); err != nil {
		t.Errorf("mapid ends with %v", err)
	}
	if _, err := os.Stat(sock); !os.IsNotExist(err) {
		t.Errorf("socket remains: %v", err)
	}
}

// ignores reports whether a process ignores SIGHUP (proc_pid_status(5)).
func ignores(t *testing.T, pid int) bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, mask, _ := strings.Cut(string(text), "\nSigIgn:\t")
	mask, _, _ = strings.Cut(mask, "\n")
	bits, err := strconv.ParseUint(mask, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return bits&(1<<(unix.SIGHUP-1)) != 0
}

// TestNohup checks that SIGHUP stays ignored.
func TestNohup(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "s")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap "" HUP; exec mapid "$@"`, "sh",
		"-g", group, "--config", testConfig(t), "--socket", sock)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await := lines(t, stderr)
	await("listening on")
	if !ignores(t, cmd.Process.Pid) {
		t.Error("SIGHUP is not ignored any more")
	}
	end(t, cmd.Process.Pid, unix.SIGTERM)
	await("mapid ends")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestReloadInTheBackground gives all files as paths relative to a directory
// that the daemon has left.
func TestReloadInTheBackground(t *testing.T) {
	dir := t.TempDir()
	section := "[driver]\ndevice=lo\ndriver=mapinicdrv.so\ndevgroup=" + group + "\n"
	file := filepath.Join(dir, "mapi.conf")
	if err := os.WriteFile(file, []byte("logfile=log\n"+section), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := detached(t, dir, "--config", "none:mapi.conf").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pid := listener(t, filepath.Join(dir, "s"))
	if err := os.WriteFile(file, []byte("logfile=log\n"+section+"alias=loop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(pid, unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	var text []byte
	testenv.Until(t, "the log tells of the reload", func() bool {
		text, _ = os.ReadFile(filepath.Join(dir, "log.info"))
		return strings.Contains(string(text), "the configuration was taken up")
	})
	if strings.Contains(string(text), "error: ") || strings.Contains(string(text), "logfile") {
		t.Errorf("something is wrong with files that are there:\n%s", text)
	}
	end(t, pid, unix.SIGTERM)
}
