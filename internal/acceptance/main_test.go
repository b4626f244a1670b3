package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gomapi/internal/testenv"
	"gomapi/internal/testmapid"
	"gomapi/mapi"
)

const patience = testenv.Patience

// binaries is the directory with mapid, built once for all tests.
var binaries string

func TestMain(m *testing.M) {
	if play() {
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	testmapid.Main()
	testenv.HeedSignals()
	var err error
	if binaries, err = os.MkdirTemp("", "acceptance"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(binaries)
	// Other users execute it too.
	if err := os.Chmod(binaries, 0o755); err != nil {
		panic(err)
	}
	if out, err := exec.Command("go", "build", "-o", binaries, "gomapi/cmd/mapid").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build mapid: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// mapid is a running daemon.
type mapid struct {
	t      *testing.T
	cmd    *exec.Cmd
	socket string
	stderr bytes.Buffer // read only after stop
}

// start runs a daemon until the test ends, with the built-in configuration
// unless args name another one.
func start(t *testing.T, args ...string) *mapid {
	t.Helper()
	dir, err := os.MkdirTemp("", "mapid") // other users cannot enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return startAt(t, filepath.Join(dir, "mapid.sock"), args...)
}

func startAt(t *testing.T, socket string, args ...string) *mapid {
	t.Helper()
	d := &mapid{t: t, socket: socket}
	if !slices.Contains(args, "--config") {
		args = append(args, "--builtin")
	}
	d.cmd = exec.Command(filepath.Join(binaries, "mapid"), append([]string{"--socket", socket}, args...)...)
	d.cmd.Stderr = &d.stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(syscall.SIGTERM) })
	d.answers()
	return d
}

// answers waits until the daemon answers.
func (d *mapid) answers() {
	d.t.Helper()
	c := &mapi.Client{Socket: d.socket}
	defer c.Close()
	testenv.Until(d.t, "mapid answers", func() bool {
		_, err := c.Libraries(d.t.Context())
		return err == nil
	})
}

// stop sends a signal and waits for the end of the daemon. It may be called
// more than once.
func (d *mapid) stop(sig syscall.Signal) error {
	if d.cmd.ProcessState != nil {
		return nil
	}
	d.cmd.Process.Signal(sig)
	kill := time.AfterFunc(patience, func() { d.cmd.Process.Kill() })
	defer kill.Stop()
	err := d.cmd.Wait()
	if d.t.Failed() {
		d.t.Logf("output of mapid:\n%s", d.stderr.String())
	}
	return err
}

func (d *mapid) client() *mapi.Client {
	c := &mapi.Client{Socket: d.socket}
	d.t.Cleanup(func() { c.Close() })
	return c
}

// counted is a flow that counts packets and bytes that match a filter.
type counted struct {
	filter         string
	packets, bytes *mapi.Function
}

// count creates a connected flow on a device.
func count(ctx context.Context, c *mapi.Client, device, filter string) (*counted, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	if filter != "" {
		if _, err := f.Apply(ctx, "BPF_FILTER", filter); err != nil {
			return nil, err
		}
	}
	n := &counted{filter: filter}
	if n.packets, err = f.Apply(ctx, "PKT_COUNTER"); err != nil {
		return nil, err
	}
	if n.bytes, err = f.Apply(ctx, "BYTE_COUNTER"); err != nil {
		return nil, err
	}
	return n, f.Connect(ctx)
}

func (n *counted) read(t *testing.T) (packets, bytes uint64) {
	t.Helper()
	packets, err := n.packets.Uint64()
	if err != nil {
		t.Fatal(err)
	}
	if bytes, err = n.bytes.Uint64(); err != nil {
		t.Fatal(err)
	}
	return packets, bytes
}

// countFile counts all filters in one pass over a file and returns packets and
// bytes of each.
func countFile(t *testing.T, c *mapi.Client, path string, filters ...string) [][2]uint64 {
	t.Helper()
	ctx := t.Context()
	d, err := c.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	var flows []*counted
	for _, filter := range filters {
		f, err := count(ctx, c, d.Name(), filter)
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f)
	}
	if err := d.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	balanced(t, c, d.Name())
	var out [][2]uint64
	for _, f := range flows {
		p, b := f.read(t)
		out = append(out, [2]uint64{p, b})
	}
	if err := d.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantCode(t *testing.T, what string, err error, want mapi.Code) {
	t.Helper()
	var e *mapi.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Errorf("%s: %v, want error %d", what, err, int(want))
	}
}

// needs skips the test if a tool is missing, or fails if tests must not be
// skipped.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// output runs a tool and returns its output.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
