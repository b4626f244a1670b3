package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// liveDump starts mapi dump on b. The flow is connected when the header of the
// output file appears.
func liveDump(t *testing.T, args ...string) *live {
	t.Helper()
	return startTool(t, append([]string{"dump", "-d", testnet.B}, args...)...)
}

// written waits for n bytes of a capture file, which appear as soon as the
// packets arrive.
func (l *live) written(n int) []byte {
	l.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(l.lines, b); err != nil {
		l.t.Fatalf("%v; output %s", err, &l.stderr)
	}
	return b
}

// TestDumpLive sends more packets after the first have arrived, and reads the
// output with tcpdump.
func TestDumpLive(t *testing.T) {
	for _, s := range []unix.Signal{unix.SIGINT, unix.SIGTERM} {
		testnet.Run(t, func(ns *testnet.NS) {
			l := liveDump(t, "-w", "-", "udp")
			capture := l.written(pcapHead)
			for range 2 {
				send(t, ns, 1000)
				capture = append(capture, l.written(500*(pcapRecord+frameSize))...)
			}
			l.signal(s)
			if rest, err := io.ReadAll(l.lines); err != nil || len(rest) > 0 {
				t.Errorf("after the last packet: %d bytes, %v", len(rest), err)
			}
			l.wait(exitInterrupted)
			if said := l.stderr.String(); !strings.HasSuffix(said, "1000 packets captured\n0 packets lost for this buffer\n0 packets lost: ring full\n") {
				t.Errorf("output %q", said)
			}
			tcpdump := exec.Command("tcpdump", "-n", "-r", "-")
			tcpdump.Stdin = bytes.NewReader(capture)
			out, err := tcpdump.Output()
			if n := strings.Count(string(out), "\n"); n != 1000 || err != nil {
				t.Errorf("tcpdump reads %d packets, %v", n, err)
			}
		})
	}
}

// TestDumpLimit ends by itself after exactly the given number of packets. The
// test sends packets until then, because no output shows when the tool is
// ready.
func TestDumpLimit(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := liveDump(t, "-c", "7", "udp")
		ended := make(chan []byte)
		go func() {
			out, _ := io.ReadAll(l.lines)
			ended <- out
		}()
		s := ns.Sender(testnet.A)
		var out []byte
		for i := uint64(0); out == nil; i++ {
			if err := s.Send(testnet.UDP(i, frameSize)); err != nil {
				t.Fatal(err)
			}
			select {
			case out = <-ended:
			default:
			}
		}
		l.wait(exitDone)
		line := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{6} IP .*: UDP, length \d+$`)
		if len(line.FindAll(out, -1)) != 7 || bytes.Count(out, []byte("\n")) != 7 {
			t.Errorf("printed\n%s", out)
		}
		if said := l.stderr.String(); !strings.Contains(said, "7 packets captured\n") {
			t.Errorf("output %q", said)
		}
	})
}

// TestDumpReaderGone closes the output, like head.
func TestDumpReaderGone(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := liveDump(t, "-w", "-")
		l.written(pcapHead)
		l.stdout.Close()
		send(t, ns, 100)
		l.wait(exitDone)
		if said := l.stderr.String(); strings.Contains(said, "write") {
			t.Errorf("output %q", said)
		}
	})
}

// TestDumpStuck has a reader that does not read, once until the deadline and
// once until a signal.
func TestDumpStuck(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := liveDump(t, "-w", "-", "--deadline", deadline)
		l.written(pcapHead)
		send(t, ns, 2000)
		l.wait(exitFailed)
		if said := l.stderr.String(); !strings.HasSuffix(said, "the deadline of "+deadline+" has passed: a write or the daemon hangs\n") {
			t.Errorf("output %q", said)
		}
		l = liveDump(t, "-w", "-")
		l.written(pcapHead)
		send(t, ns, 2000)
		l.signal(unix.SIGTERM)
		l.wait(exitInterrupted)
	})
}

// TestDumpPipe writes to a named pipe, first without a reader, then with one.
func TestDumpPipe(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "file")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(testdata.Dir(t), "zk-icmp-5-pings.pcap")
	if _, said := dump(t, exitFailed, "-r", trace, "-w", pipe, "--deadline", "500ms"); !strings.Contains(said, "deadline") {
		t.Errorf("output %q", said)
	}
	dump(t, exitDone, "-r", trace, "-w", file)
	read := make(chan []byte)
	go func() {
		b, _ := os.ReadFile(pipe)
		read <- b
	}()
	dump(t, exitDone, "-r", trace, "-w", pipe)
	want, err := os.ReadFile(file)
	if got := <-read; err != nil || !bytes.Equal(got, want) || len(want) <= pcapHead {
		t.Errorf("%d bytes through the pipe, %d in the file, %v", len(got), len(want), err)
	}
}

// TestDumpDeadline reaches the deadline without a packet and succeeds.
func TestDumpDeadline(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := liveDump(t, "--deadline", deadline, "--json")
		if out, err := io.ReadAll(l.lines); err != nil || len(out) > 0 {
			t.Errorf("printed %q, %v", out, err)
		}
		l.wait(exitDone)
	})
}

// TestDumpDaemonKilled checks that packets from before the kill are written.
func TestDumpDaemonKilled(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		daemon, err := startDaemon(dir, "--builtin")
		if err != nil {
			t.Fatal(err)
		}
		l := liveDump(t, "-w", "-", "--socket", filepath.Join(dir, "mapid.sock"))
		l.written(pcapHead)
		send(t, ns, 100)
		l.written(100 * (pcapRecord + frameSize))
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
		if rest, err := io.ReadAll(l.lines); err != nil || len(rest) > 0 {
			t.Errorf("after the last packet: %d bytes, %v", len(rest), err)
		}
		l.wait(exitNoDaemon)
		if said := l.stderr.String(); !strings.Contains(said, "100 packets captured\n") {
			t.Errorf("output %q", said)
		}
	})
}

// TestDumpAny captures on all interfaces. Each packet must show its interface
// and direction, and its VLAN tags with -e.
func TestDumpAny(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		conf := "[driver]\ndevice=any\ndriver=mapinicdrv\n"
		if err := os.WriteFile(filepath.Join(dir, "mapi.conf"), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		daemon, err := startDaemon(dir, "--config=mapi.conf")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = daemon.Process.Signal(unix.SIGTERM)
			if err := daemon.Wait(); err != nil {
				t.Error(err)
			}
		}()
		l := startTool(t, "dump", "--socket", filepath.Join(dir, "mapid.sock"), "-i", "any", "-e", "-c", "40")
		ended := make(chan string)
		go func() {
			out, _ := io.ReadAll(l.lines)
			ended <- string(out)
		}()
		s := ns.Sender(testnet.A)
		frame := testnet.Tagged(testnet.UDP(1, frameSize), testnet.Tag{TPID: 0x8100, TCI: 3<<13 | 42})
		var out string
		for running := true; running; {
			if err := s.Send(frame); err != nil {
				t.Fatal(err)
			}
			select {
			case out = <-ended:
				running = false
			default:
			}
		}
		l.wait(exitDone)
		for _, want := range []string{
			`(?m)^[0-9:.]+ a     Out ifindex \d+ .*vlan 42, p 3, ethertype IPv4 \(0x0800\), `,
			`(?m)^[0-9:.]+ b     (In |P  |B  |M  ) ?ifindex \d+ .*vlan 42, p 3, ethertype IPv4 \(0x0800\), `,
		} {
			if !regexp.MustCompile(want).MatchString(out) {
				t.Errorf("%s is not in\n%s", want, out)
			}
		}
	})
}
