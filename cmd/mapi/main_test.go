package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"gomapi/internal/testenv"
)

// bin is a directory that all users can read, with mapi and mapid as installed.
var bin string

// tests builds the programs first and fails if a test leaves a goroutine
// behind.
type tests struct{ *testing.M }

func (m tests) Run() int {
	testenv.HeedSignals()
	var err error
	if bin, err = buildPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	os.Unsetenv("MAPI_SOCKET")
	os.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	code := m.M.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestMain makes the test binary run as mapi, mapiinfo and mapidump, including
// in the PATH of scripts.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"mapi": main, "mapiinfo": main, "mapidump": main})
}

func buildPrograms() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mapi-test"); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	out, err := exec.Command("go", "build", "-o", dir, "gomapi/cmd/mapi", "gomapi/cmd/mapid").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("build mapi and mapid: %w\n%s", err, out)
	}
	return dir, nil
}

// startDaemon starts a mapid in dir that listens on mapid.sock there. It
// returns when clients can connect.
func startDaemon(dir string, args ...string) (*exec.Cmd, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command(filepath.Join(bin, "mapid"), append([]string{"--ready-fd=3", "--socket=mapid.sock"}, args...)...)
	cmd.Dir = dir
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	if said, _ := bufio.NewReader(r).ReadString('\n'); said != "ready\n" {
		_ = cmd.Process.Kill()
		return nil, fmt.Errorf("mapid does not start: %q, %v", said, cmd.Wait())
	}
	return cmd, nil
}
