package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// child is the environment variable that makes the test binary call HeedSignals
// and start another program.
const child = "TESTENV_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	HeedSignals()
	out, err := exec.Command("grep", "SigIgn", "/proc/self/status").Output()
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(out)
}

// TestHeedSignals starts a program like nohup and "&" in a script, and checks
// which signals its child ignores (proc_pid_status(5)).
func TestHeedSignals(t *testing.T) {
	for _, ignored := range []string{"INT", "HUP", "INT HUP", "TERM"} {
		cmd := exec.Command("sh", "-c", fmt.Sprintf(`trap "" %s; exec "$0"`, ignored), os.Args[0])
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var mask uint64
		if _, err := fmt.Sscanf(strings.TrimPrefix(string(out), "SigIgn:"), "%x", &mask); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if mask &= 1<<(unix.SIGHUP-1) | 1<<(unix.SIGINT-1); mask != 0 {
			t.Errorf("with %s ignored the program of a program ignores %b", ignored, mask)
		}
	}
}
