package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/books"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// losing is a daemon with a small ring on b.
type losing struct {
	t      *testing.T
	cmd    *exec.Cmd
	socket string
	client *mapi.Client
}

func startLosing(t *testing.T) *losing {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "mapi.conf")
	text := "libs=stdflib.so\n[driver]\ndevice=b\ndriver=mapinicdrv.so\nring_mb=1\nblock_kb=64\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &losing{t: t, socket: filepath.Join(dir, "mapid.sock")}
	var err error
	if d.cmd, err = startDaemon(dir, "--config", config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	})
	d.client = &mapi.Client{Socket: d.socket}
	t.Cleanup(func() { d.client.Close() })
	return d
}

func (d *losing) signal(s os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// sent sends large packets and waits until the daemon has counted all packets
// that reached the interface.
func (d *losing) sent(ns *testnet.NS, n int, meanwhile func()) {
	d.t.Helper()
	s := ns.Sender(testnet.A)
	for i := range n {
		if err := s.Send(testnet.UDP(uint64(i), 1400)); err != nil {
			d.t.Fatal(err)
		}
	}
	meanwhile()
	d.counts(uint64(n))
}

// counts polls until the daemon has n packets in its books. No event announces
// this.
func (d *losing) counts(n uint64) {
	d.t.Helper()
	testenv.Until(d.t, fmt.Sprintf("books of %d packets", n), func() bool {
		b, err := d.client.Books(d.t.Context(), testnet.B)
		if err != nil {
			d.t.Fatal(err)
		}
		return b.In == n && value(b.Out, books.Waiting) == 0
	})
}

func value(lines []mapi.Counter, name string) uint64 {
	for _, l := range lines {
		if l.Name == name {
			return l.Value
		}
	}
	return 0
}

// told adds up the numbers of the lines with one of these endings.
func told(t *testing.T, text string, ends ...string) (sum uint64) {
	t.Helper()
	for _, end := range ends {
		for _, m := range regexp.MustCompile(`(?m)(\d+) `+strings.Replace(end, "packets ", "packets? ", 1)+`$`).FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseUint(m[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// TestCountWhilePacketsAreLost checks that packets missing from the total are
// reported.
func TestCountWhilePacketsAreLost(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startLosing(t)
		l := count(t, "--socket", d.socket, "-i", "50ms")
		l.next()
		d.signal(unix.SIGSTOP)
		const n = 3000
		d.sent(ns, n, func() { d.signal(unix.SIGCONT) })
		l.signal(unix.SIGINT)
		last := l.ends(exitInterrupted)
		said := l.stderr.String()
		lost := told(t, said, "packets lost: ring full")
		if last.Packets+lost != n || lost == 0 {
			t.Errorf("%d packets of %d; output %q", last.Packets, n, said)
		}
	})
}

// TestDumpAccounts interrupts calls with and without a reader of the output.
// The summary must include each packet.
func TestDumpAccounts(t *testing.T) {
	for _, reads := range []bool{true, false} {
		testnet.Run(t, func(ns *testnet.NS) {
			d := startLosing(t)
			l := liveDump(t, "--socket", d.socket, "-w", "-")
			l.written(pcapHead)
			const n = 2000
			d.sent(ns, n, func() {})
			l.signal(unix.SIGINT)
			var file []byte
			if reads {
				file, _ = io.ReadAll(l.lines)
			}
			l.wait(exitInterrupted)
			said := l.stderr.String()
			captured := told(t, said, "packets captured")
			if reads && captured != uint64(len(file)/(pcapRecord+1400)) {
				t.Errorf("%d bytes were written; output %q", len(file), said)
			}
			left := told(t, said, "packets left in the buffer")
			all := captured + left + told(t, said, "packets not written", "packets lost for this buffer", "packets lost: ring full")
			if all != n || left == 0 {
				t.Errorf("%d of %d packets are reported: %q", all, n, said)
			}
		})
	}
}

// TestDumpReaderGoneAccounts has a reader that leaves while packets wait.
func TestDumpReaderGoneAccounts(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startLosing(t)
		l := liveDump(t, "--socket", d.socket, "-w", "-")
		l.written(pcapHead)
		const n = 2000
		d.sent(ns, n, func() {})
		l.stdout.Close()
		l.wait(exitDone)
		said := l.stderr.String()
		all := told(t, said, "packets captured", "packets not written", "packets left in the buffer",
			"packets lost for this buffer", "packets lost: ring full")
		if all != n {
			t.Errorf("%d of %d packets are reported: %q", all, n, said)
		}
	})
}

// TestApplyAccounts stops the tool while packets and entries arrive.
func TestApplyAccounts(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startLosing(t)
		l := startTool(t, "apply", "--socket", d.socket, "-d", testnet.B, "-i", "10ms", "PKT_COUNTER", ",", "TO_BUFFER", ",", "BUCKET", "@1", "0", "0")
		if _, err := l.lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		l.signal(unix.SIGSTOP)
		const n = 2000
		d.sent(ns, n, func() {})
		l.signal(unix.SIGINT)
		l.signal(unix.SIGCONT)
		rest, err := io.ReadAll(l.lines)
		if err != nil {
			t.Fatal(err)
		}
		l.wait(exitInterrupted)
		said := l.stderr.String()
		taken := regexp.MustCompile(`2 TO_BUFFER: (\d+) packets? taken, (\d+) lost\n`).FindAllStringSubmatch(string(rest), -1)
		if len(taken) == 0 {
			t.Fatalf("no packets? taken: %.500q", rest)
		}
		var got, lost uint64
		fmt.Sscan(taken[len(taken)-1][1], &got)
		fmt.Sscan(taken[len(taken)-1][2], &lost)
		ring := told(t, said, "packets lost: ring full")
		if all := got + lost + ring + told(t, said, "packets left in the buffer"); all != n {
			t.Errorf("%d of %d packets are reported: %q, %q", all, n, taken[len(taken)-1][0], said)
		}
		entries := uint64(strings.Count(string(rest), "3 BUCKET: "))
		if all := entries + ring + told(t, said, "entries of BUCKET not read in time"); all != n {
			t.Errorf("%d of %d entries are reported: %q", all, n, said)
		}
	})
}
