package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
	"gomapi/internal/testmapid"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// built is the folder with mapid and the two libraries.
var built string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	testmapid.Main()
	testenv.HeedSignals()
	var err error
	if built, err = os.MkdirTemp("", "libmapi-test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(built)
	for _, cmd := range []*exec.Cmd{
		exec.Command("make", "-s", "-C", "../..", "libmapi", "LIBMAPI_OUT="+built),
		exec.Command("go", "build", "-o", built, "gomapi/cmd/mapid"),
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v: %v\n%s", cmd, err, out)
			return 1
		}
	}
	return m.Run()
}

// source returns the text of a file of testdata.
func source(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compile builds a program from C code like a user does, and returns its path.
func compile(t testing.TB, code string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	c, program := filepath.Join(dir, "program.c"), filepath.Join(dir, "program")
	if err := os.WriteFile(c, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-Iinclude", "-Itestdata", "-o", program}, flags...)
	args = append(args, c, "-L"+built, "-lmapi", "-lpthread", "-Wl,-rpath,"+built)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// strict are the compiler flags for the project's own C programs.
var strict = []string{"-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"}

// A daemon is a mapid of the test.
type daemon struct {
	t      testing.TB
	cmd    *exec.Cmd
	socket string
}

// startDaemon starts a daemon in the namespace of the thread. It returns when clients can
// connect.
func startDaemon(t testing.TB) *daemon {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := &daemon{t: t, socket: filepath.Join(t.TempDir(), "mapid.sock")}
	d.cmd = exec.Command(filepath.Join(built, "mapid"), "--ready-fd=3", "--builtin", "--socket="+d.socket)
	d.cmd.ExtraFiles = []*os.File{w}
	err = d.cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	if said, _ := bufio.NewReader(r).ReadString('\n'); said != "ready\n" {
		t.Fatalf("mapid does not start, it prints %q", said)
	}
	return d
}

func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

// command returns a program that finds the daemon through its environment.
func (d *daemon) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "MAPI_SOCKET="+d.socket)
	return cmd
}

// await waits until is returns true for the flows of all clients.
func (d *daemon) await(what string, is func([]mapi.FlowInfo) bool) {
	d.t.Helper()
	c := &mapi.Client{Socket: d.socket}
	defer c.Close()
	testenv.Until(d.t, what, func() bool {
		flows, err := c.Flows(d.t.Context())
		if err != nil {
			d.t.Fatalf("%s: %v", what, err)
		}
		return is(flows)
	})
}

func (d *daemon) awaitActive(n int) {
	d.t.Helper()
	d.await(fmt.Sprintf("%d active flows", n), func(flows []mapi.FlowInfo) bool {
		active := 0
		for _, f := range flows {
			if f.Status == mapi.FlowActive {
				active++
			}
		}
		return active == n
	})
}

func (d *daemon) awaitNone() {
	d.t.Helper()
	d.await("no flows", func(flows []mapi.FlowInfo) bool { return len(flows) == 0 })
}

// A program is a running C program. The test reads its output.
type program struct {
	t      testing.TB
	cmd    *exec.Cmd
	lines  *bufio.Reader
	stderr strings.Builder
	done   chan error
}

// start starts cmd with line-buffered output, as on a terminal.
func start(t testing.TB, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd, done: make(chan error, 1)}
	stdbuf, err := exec.LookPath("stdbuf")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = append([]string{"stdbuf", "-oL"}, cmd.Args...)
	cmd.Path = stdbuf
	cmd.Stderr = &p.stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewReader(r)
	go func() { p.done <- cmd.Wait() }()
	testenv.Bound(t, cmd.Process)
	t.Cleanup(func() { r.Close() })
	return p
}

// line waits for a line of output.
func (p *program) line() string {
	p.t.Helper()
	text, err := p.lines.ReadString('\n')
	if err != nil {
		p.t.Fatalf("after %q: %v; stderr: %s", text, err, &p.stderr)
	}
	return strings.TrimSuffix(text, "\n")
}

func (p *program) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(unix.SIGINT); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the end of the program.
func (p *program) ends() *os.ProcessState {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(testnet.Patience):
		_ = p.cmd.Process.Signal(unix.SIGABRT)
		p.t.Fatalf("%v does not end", p.cmd)
	}
	return p.cmd.ProcessState
}

// endsWell waits for the end of the program, which must succeed.
func (p *program) endsWell() {
	p.t.Helper()
	if state := p.ends(); !state.Success() {
		p.t.Errorf("%v; stderr: %s", state, &p.stderr)
	}
}
