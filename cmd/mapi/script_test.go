package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
	"gomapi/internal/tracegen"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

func TestScripts(t *testing.T) { runScripts(t, "testdata/script", "") }

// TestCaptureScripts runs the scripts that use real captures, in $DATA.
func TestCaptureScripts(t *testing.T) { runScripts(t, "testdata/captures", testdata.Dir(t)) }

func runScripts(t *testing.T, dir, data string) {
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("BIN", bin)
			env.Setenv("DATA", data)
			env.Setenv("TZ", "UTC")
			env.Setenv("LONG", strings.Repeat("x", maxSocket+1))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "root" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": exits, "daemon": daemon, "trace": trace,
		},
	})
}

// exits is "status N COMMAND": it runs a command that must exit with code N.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [args]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// daemon [ARGS] starts a mapid on mapid.sock for the rest of the script.
func daemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: daemon [args]")
	}
	cmd, err := startDaemon(ts.MkAbs("."), args...)
	ts.Check(err)
	ts.Defer(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		ts.Check(cmd.Wait())
	})
}

// trace FILE N writes a capture of N packets. It sets PACKETS, BYTES, TCP and
// UDP to the counts of the capture.
func trace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: trace file packets")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	sum, err := tracegen.Write(f, n, 1)
	ts.Check(err)
	for name, v := range map[string]uint64{"PACKETS": sum.Packets, "BYTES": sum.Bytes, "TCP": sum.TCP, "UDP": sum.UDP} {
		ts.Setenv(name, strconv.FormatUint(v, 10))
	}
}
