package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
)

// found is a line of mapi apply --json.
type found struct {
	Time     time.Time
	Function int
	Name     string
	Result   struct {
		Value, Taken, Lost uint64
		At                 time.Time
	}
}

// startApply starts the tool on b.
func startApply(t *testing.T, args ...string) *live {
	t.Helper()
	return startTool(t, append([]string{"apply", "--json", "-d", testnet.B}, args...)...)
}

// nextFound waits for the next line.
func (l *live) nextFound() (f found) {
	l.t.Helper()
	text, err := l.lines.ReadString('\n')
	if err != nil {
		l.t.Fatalf("%v; output %s", err, &l.stderr)
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		l.t.Fatalf("%v: %q", err, text)
	}
	return f
}

// rest returns the output until the end.
func (l *live) rest() []byte {
	l.t.Helper()
	text, err := io.ReadAll(l.lines)
	if err != nil {
		l.t.Fatal(err)
	}
	return text
}

// TestApplyLive reads results, entries and packets of an interface as they
// arrive.
func TestApplyLive(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		l := startApply(t, "-i", "20ms", "PKT_COUNTER", ",", "BPF_FILTER", "udp",
			",", "PKT_COUNTER", ",", "BUCKET", "@3", "0", "0", ",", "TO_BUFFER")
		if first := l.nextFound(); first.Function != 1 || first.Result.Value != 0 || first.Time.IsZero() {
			t.Errorf("first line: %+v", first)
		}
		send(t, ns, 400)
		entries, last := uint64(0), make(map[int]found)
		for entries < 200 || last[1].Result.Value < 400 || last[5].Result.Taken < 200 {
			f := l.nextFound()
			if f.Function != 4 {
				last[f.Function] = f
				continue
			}
			if entries++; f.Result.Value != entries || f.Result.At.IsZero() || !f.Time.IsZero() {
				t.Fatalf("entry %d: %+v", entries, f)
			}
		}
		l.signal(unix.SIGINT)
		for line := range bytes.Lines(l.rest()) {
			var f found
			if err := json.Unmarshal(line, &f); err != nil {
				t.Fatalf("%v: %q", err, line)
			}
			last[f.Function] = f
		}
		l.wait(exitInterrupted)
		if one, three, five := last[1].Result, last[3].Result, last[5].Result; one.Value != 400 || three.Value != 200 ||
			five.Taken != 200 || five.Lost != 0 || len(last) != 3 {
			t.Errorf("at the end %+v", last)
		}
	})
}

// TestApplyDeadline prints the last results as text, with the time.
func TestApplyDeadline(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		cmd := exec.Command(filepath.Join(bin, "mapi"), "apply", "--private", "-d", testnet.B, "-i", "1h", "--deadline", deadline,
			"PKT_COUNTER", ",", "GAP")
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
		want := `^\d\d:\d\d:\d\d\.\d{3} 1 PKT_COUNTER: 0 packets\n\d\d:\d\d:\d\d\.\d{3} 2 GAP: 0\.000000000 s\n$`
		if errs.Len() > 0 || !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("%q, %q", &out, &errs)
		}
	})
}

// TestApplyDaemonKilled checks that the tool ends with an error when the daemon
// is killed.
func TestApplyDaemonKilled(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		daemon, err := startDaemon(dir, "--builtin")
		if err != nil {
			t.Fatal(err)
		}
		l := startApply(t, "-i", "20ms", "--socket", filepath.Join(dir, "mapid.sock"),
			"PKT_COUNTER", ",", "BUCKET", "@1", "1s", "0", ",", "TO_BUFFER")
		l.nextFound()
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
		l.rest()
		l.wait(exitNoDaemon)
	})
}

// TestApplyDeadlineOfFile has a deadline in the middle of a file.
func TestApplyDeadlineOfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "endless.pcap.gz")
	if err := os.WriteFile(file, endless(t), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args := []string{"mapi", "apply", "--deadline", deadline, "-r", file, "PKT_COUNTER", ",", "TO_BUFFER"}
	code := run(context.Background(), args, &out, &errs)
	if code != exitInterrupted || errs.String() != "mapi: ended before the end of the file\n" {
		t.Errorf("exit code %d, %q", code, &errs)
	}
	if !regexp.MustCompile(`^1 PKT_COUNTER: \d+ packets\n2 TO_BUFFER: \d+ packets taken, 0 lost\n$`).Match(out.Bytes()) {
		t.Errorf("%q", &out)
	}
}
