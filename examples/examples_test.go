// Package examples builds and runs the examples beside it, one folder for one
// idea, against a mapid.
package examples

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi/mapitest"
)

// bin is the folder of the programs.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "examples"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	out, err := exec.Command("go", "build", "-o", bin, "gomapi/examples/...").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// daemon runs a mapid for the rest of the test, as the one that programs find,
// and returns its device eth0.
func daemon(t *testing.T) *mapitest.Device {
	t.Helper()
	d := mapitest.Start(t)
	t.Setenv("MAPI_SOCKET", d.Socket())
	return d.Device("eth0")
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
	eth0 := daemon(t)
	r := start(t, "counting for 1s\n", "count", "-t", "1s", "eth0")
	for i := range uint64(100) {
		send(t, eth0, testnet.TCP(i, 100), testnet.UDP(i, 100)) // TCP to port 80
	}
	rest, _ := io.ReadAll(r.lines)
	if err := r.cmd.Wait(); err != nil || string(rest) != "pkts: 100\n" {
		t.Errorf("%v: %q", err, rest)
	}
}
