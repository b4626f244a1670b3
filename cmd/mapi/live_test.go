package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
)

// A live is the tool, running as a process on interface b. Its daemon sees the
// same network namespace.
type live struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Reader
	stdout io.Closer
	stderr strings.Builder
}

// object is an output line of any kind.
type object struct {
	line
	Device  *string  `json:"device"` // in the last line only
	Seconds *float64 `json:"seconds"`
}

// startTool starts the tool with args.
func startTool(t *testing.T, args ...string) *live {
	t.Helper()
	l := &live{t: t}
	l.cmd = exec.Command(filepath.Join(bin, "mapi"), args...)
	l.cmd.Stderr = &l.stderr
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testenv.Bound(t, l.cmd.Process)
	l.stdout, l.lines = out, bufio.NewReader(out)
	return l
}

// count starts mapi count on b. Its first line shows that the flow is
// connected.
func count(t *testing.T, args ...string) *live {
	t.Helper()
	return startTool(t, append([]string{"count", "--json", "-d", testnet.B}, args...)...)
}

// next waits for the next line.
func (l *live) next() object {
	l.t.Helper()
	text, err := l.lines.ReadString('\n')
	if err != nil {
		l.t.Fatalf("%v; output %s", err, &l.stderr)
	}
	var o object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		l.t.Fatalf("%v: %q", err, text)
	}
	return o
}

// until waits for a line with this number of packets.
func (l *live) until(packets uint64) object {
	l.t.Helper()
	for {
		if o := l.next(); o.Packets >= packets {
			return o
		}
	}
}

// ends reads to the end and returns the last line. The tool must exit with
// code.
func (l *live) ends(code int) object {
	l.t.Helper()
	last := l.next()
	for last.Device == nil {
		last = l.next()
	}
	if rest, err := io.ReadAll(l.lines); err != nil || len(rest) > 0 {
		l.t.Errorf("after the total: %q, %v", rest, err)
	}
	l.wait(code)
	return last
}

func (l *live) wait(code int) {
	l.t.Helper()
	err := l.cmd.Wait()
	if got := l.cmd.ProcessState.ExitCode(); got != code {
		l.t.Errorf("exit code %d (%v), want %d; output %s", got, err, code, &l.stderr)
	}
}

func (l *live) signal(s os.Signal) {
	l.t.Helper()
	if err := l.cmd.Process.Signal(s); err != nil {
		l.t.Fatal(err)
	}
}

const frameSize = 200

// send sends frames from a to b.
func send(t *testing.T, ns *testnet.NS, frames int) {
	t.Helper()
	s := ns.Sender(testnet.A)
	for i := range frames {
		frame := testnet.UDP(uint64(i), frameSize)
		if i%2 == 1 {
			frame = testnet.TCP(uint64(i), frameSize)
		}
		if err := s.Send(frame); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInterrupt(t *testing.T) {
	for _, s := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP} {
		testnet.Run(t, func(ns *testnet.NS) {
			l := count(t, "-i", "50ms", "udp")
			if first := l.next(); first.Packets != 0 || first.Time.IsZero() {
				t.Errorf("first line: %+v", first)
			}
			send(t, ns, 1000)
			l.until(500)
			l.signal(s)
			last := l.ends(exitInterrupted)
			if last.Packets != 500 || last.Bytes != 500*frameSize || *last.Device != testnet.B || *last.Seconds <= 0 {
				t.Errorf("total: %+v", last)
			}
			if said := l.stderr.String(); strings.Contains(said, "interrupt") {
				t.Errorf("output %q", said)
			}
		})
	}
}

// TestRates compares the rates with the packets and times of the lines. It
// cannot check the bit rate as exactly: the bytes are read at another time,
// which is not printed.
func TestRates(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := count(t, "-i", "20ms")
		before := l.next()
		send(t, ns, 1000)
		for before.Packets < 1000 || before.Bytes < 1000*frameSize {
			o := l.next()
			rate := uint64(0)
			if us := o.Time.Sub(before.Time).Microseconds(); us > 0 {
				rate = (o.Packets - before.Packets) * 1e6 / uint64(us)
			}
			if o.PacketsPerSecond != rate || (o.BitsPerSecond > 0) != (o.Bytes > before.Bytes) {
				t.Errorf("%+v after %+v, want %d packets/s", o.line, before.line, rate)
			}
			before = o
		}
		l.signal(unix.SIGINT)
		l.ends(exitInterrupted)
	})
}

func TestLimit(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := count(t, "-i", "50ms", "-c", "700")
		l.next()
		send(t, ns, 1000)
		if last := l.ends(exitDone); last.Packets < 700 || last.Packets > 1000 {
			t.Errorf("total: %+v", last)
		}
	})
}

// deadline is long enough for a call to start before the test observes its end.
const deadline = "2s"

func TestDeadline(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		last := count(t, "--deadline", deadline).ends(exitDone)
		if last.Packets != 0 || *last.Seconds <= 0 {
			t.Errorf("total: %+v, %v s", last, *last.Seconds)
		}
	})
}

// TestFirstDevice names no device: the first device that is up and not the
// loopback is a or b.
func TestFirstDevice(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := startTool(t, "count", "-i", "10ms")
		for _, column := range []string{"time", ""} { // the heading, and the first line of a connected flow
			if line, err := l.lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, column) {
				t.Errorf("%q, %v", line, err)
			}
		}
		l.signal(unix.SIGINT)
		rest := l.rest()
		l.wait(exitInterrupted)
		if said := l.stderr.String(); !strings.Contains(said, "mapi: counting on ") || strings.Contains(said, "on lo\n") {
			t.Errorf("output %q", said)
		}
		if !regexp.MustCompile(`(?m)^total: 0 packets, 0 bytes in \d+\.\d{3} s\n$`).Match(rest) {
			t.Errorf("%s", rest)
		}
	})
}

// TestNextDevice has a daemon whose first device cannot be opened.
func TestNextDevice(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		conf := filepath.Join(dir, "mapi.conf")
		text := "[driver]\ndevice=gone0\ndriver=mapinicdrv\n[driver]\ndevice=lo\ndriver=mapinicdrv\n" +
			"[driver]\ndevice=" + testnet.B + "\ndriver=mapinicdrv\n"
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		daemon, err := startDaemon(dir, "--config", conf)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = daemon.Process.Signal(unix.SIGTERM)
			if err := daemon.Wait(); err != nil {
				t.Error(err)
			}
		}()
		var out, errs bytes.Buffer
		args := []string{"mapi", "count", "--json", "--deadline", deadline, "--socket", filepath.Join(dir, "mapid.sock")}
		code := run(context.Background(), args, &out, &errs)
		if code != exitDone || !strings.Contains(out.String(), `{"device":"`+testnet.B+`",`) {
			t.Errorf("exit code %d: %s", code, &out)
		}
		if said := errs.String(); !strings.Contains(said, "gone0") || !strings.HasSuffix(said, "mapi: counting on "+testnet.B+"\n") {
			t.Errorf("output %q", said)
		}
	})
}

// TestReaderGone closes the output, like head.
func TestReaderGone(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := count(t, "-i", "10ms")
		l.next()
		l.stdout.Close()
		l.wait(exitDone)
	})
}

// TestDeviceGone removes the interface. The count continues when the interface
// returns, and ends when it returns with another link type.
func TestDeviceGone(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := count(t, "-i", "50ms")
		l.next()
		send(t, ns, 100)
		l.until(100)
		ns.Delete(testnet.A)
		ns.AddPair()
		ns.AwaitCapture(testnet.B)
		send(t, ns, 100)
		l.until(200)
		ns.Delete(testnet.A)
		tun := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: testnet.B}, Mode: netlink.TUNTAP_MODE_TUN}
		if err := netlink.LinkAdd(tun); err != nil {
			t.Fatal(err)
		}
		if last := l.ends(exitFailed); last.Packets != 200 {
			t.Errorf("total: %+v", last)
		}
		if said := l.stderr.String(); !strings.Contains(said, "mapi: ") || !strings.Contains(said, "another link type") {
			t.Errorf("output %q", said)
		}
	})
}

// TestDaemonKilled checks that the counts from before the kill are printed.
func TestDaemonKilled(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		daemon, err := startDaemon(dir, "--builtin")
		if err != nil {
			t.Fatal(err)
		}
		l := count(t, "-i", "50ms", "--socket", filepath.Join(dir, "mapid.sock"))
		l.next()
		send(t, ns, 100)
		l.until(100)
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
		if last := l.ends(exitNoDaemon); last.Packets != 100 {
			t.Errorf("total: %+v", last)
		}
	})
}

// TestToolKilled checks that the private daemon ends with the tool.
func TestToolKilled(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := count(t, "-i", "50ms")
		l.next()
		children := childrenOf(t, l.cmd.Process.Pid)
		if len(children) != 1 {
			t.Fatalf("children of mapi: %v", children)
		}
		daemon, err := unix.PidfdOpen(children[0], 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(daemon)
		l.signal(unix.SIGKILL)
		l.wait(-1)
		fds := []unix.PollFd{{Fd: int32(daemon), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, int(testnet.Patience.Milliseconds())); n != 1 {
			t.Errorf("the private mapid lives on: %v", err)
		}
	})
}

// childrenOf reads /proc/PID/task/TID/children (proc(5)).
func childrenOf(t *testing.T, pid int) (children []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no lists of children: %v", err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			children = append(children, child)
		}
	}
	return children
}

// TestFlows shows the flow of another program.
func TestFlows(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		daemon, err := startDaemon(dir, "--builtin")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = daemon.Process.Signal(unix.SIGTERM)
			if err := daemon.Wait(); err != nil {
				t.Error(err)
			}
		}()
		socket := filepath.Join(dir, "mapid.sock")
		l := count(t, "-i", "50ms", "--socket", socket, "udp")
		l.next()
		send(t, ns, 100)
		l.until(50)
		checkFlows(t, socket)
		l.signal(unix.SIGINT)
		l.ends(exitInterrupted)
	})
}

func checkFlows(t *testing.T, socket string) {
	t.Helper()
	var text, lines, errs bytes.Buffer
	info := []string{"mapi", "info", "flows", "--socket", socket}
	if code := run(context.Background(), append(info, "--json"), &lines, &errs); code != exitDone || errs.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var f flowObject
	if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
		t.Fatalf("%v: %s", err, &lines)
	}
	if f.Device != testnet.B || f.Status != "active" || f.UID != uint32(os.Geteuid()) || f.Start == nil || f.End != nil || len(f.Functions) != 3 {
		t.Errorf("%s", &lines)
	}
	if me, err := user.Current(); err != nil || f.User != me.Username || f.PID == 0 || f.Program != "mapi" {
		t.Errorf("flow of %q, process %d %q, want of %v (%v) and mapi", f.User, f.PID, f.Program, me, err)
	}
	for i, want := range []appliedObject{
		{FID: 1, Name: "BPF_FILTER", Args: []string{"udp"}, Library: "stdflib", DevType: "1", Packets: 100, Passed: 50},
		{FID: 2, Name: "PKT_COUNTER", Args: []string{}, Library: "stdflib", DevType: "1", Packets: 50, Passed: 50, ResultSize: 8},
		{FID: 3, Name: "BYTE_COUNTER", Args: []string{}, Library: "stdflib", DevType: "1", Packets: 50, Passed: 50, ResultSize: 8},
	} {
		if i < len(f.Functions) && !cmp.Equal(f.Functions[i], want) {
			t.Errorf("function %+v, want %+v", f.Functions[i], want)
		}
	}
	if code := run(context.Background(), info, &text, &errs); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	for _, want := range []string{
		`(?m)^USER +PID +PROGRAM +FD +DEVICE +STATUS +START$`,
		`(?m)^\S+ +\d+ +mapi +\d+ +b +active +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`,
		`(?m)^    FID +FUNCTION +ARGUMENTS +LIBRARY +PACKETS +PASSED$`,
		`(?m)^    1 +BPF_FILTER +udp +stdflib +100 +50$`,
	} {
		if !regexp.MustCompile(want).Match(text.Bytes()) {
			t.Errorf("%s is not in\n%s", want, &text)
		}
	}
}
