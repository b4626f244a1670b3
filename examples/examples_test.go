// Package examples builds the examples in its sub-folders and runs them against a mapid.
// Each example shows one idea.
package examples

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
)

// bin is the folder of the built programs.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	testenv.HeedSignals()
	var err error
	if bin, err = os.MkdirTemp("", "examples"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	out, err := exec.Command("go", "build", "-o", bin, "gomapi/cmd/mapid", "gomapi/examples/...").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// daemon runs a mapid for the rest of the test. Programs find it without settings.
func daemon(t *testing.T) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "mapid.sock")
	t.Setenv("MAPI_SOCKET", socket)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(filepath.Join(bin, "mapid"), "--builtin", "--ready-fd=3", "--socket="+socket)
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("mapid: %v", err)
		}
	})
	if said, _ := bufio.NewReader(r).ReadString('\n'); said != "ready\n" {
		t.Fatalf("mapid does not start: %q", said)
	}
}

func TestOffline(t *testing.T) {
	file := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	daemon(t)
	out, err := exec.Command(filepath.Join(bin, "offline"), file).CombinedOutput()
	if want := "tcp: 596 packets\nudp: 110 packets\n"; err != nil || string(out) != want {
		t.Errorf("%v: %q, want %q", err, out, want)
	}
	out, err = exec.Command(filepath.Join(bin, "offline"), "/nonexistent").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "error 6155") {
		t.Errorf("missing file: %v: %q", err, out)
	}
}

func TestCount(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		daemon(t)
		cmd := exec.Command(filepath.Join(bin, "count"), "-t", "3s", testnet.B)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if said, err := lines.ReadString('\n'); said != "counting for 3s\n" {
			t.Errorf("%q, %v", said, err)
		}
		s := ns.Sender(testnet.A)
		for i := range uint64(100) {
			for _, frame := range [][]byte{testnet.TCP(i, 100), testnet.UDP(i, 100)} { // TCP to port 80
				if err := s.Send(frame); err != nil {
					t.Error(err)
				}
			}
		}
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); err != nil || string(rest) != "pkts: 100\n" {
			t.Errorf("%v: %q", err, rest)
		}
	})
}
