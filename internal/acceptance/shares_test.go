package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gomapi/internal/books"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// heavy is the environment variable that makes the test binary a program of another user which
// takes as much time of the daemon as it can. It has the socket; heavyKind has the way to do it.
const heavy, heavyKind, heavyFile = "MAPI_TEST_HEAVY", "MAPI_TEST_HEAVY_KIND", "MAPI_TEST_HEAVY_FILE"

// A heavyTally is what the program has found in the books of its flows.
type heavyTally struct {
	Missed  uint64 // packets that were passed by
	Flows   int
	Unequal int // flows whose books do not balance
}

// TestHeavyProgram is the program of TestHeavyUser.
func TestHeavyProgram(t *testing.T) {
	socket := os.Getenv(heavy)
	if socket == "" {
		t.Skip("a program for TestHeavyUser") // not a test of its own
	}
	const nobody = 65534
	var st syscall.Stat_t
	must(t, syscall.Stat(socket, &st))
	gid := int(st.Gid) // that of users who may connect
	must(t, syscall.Setgroups(nil))
	must(t, syscall.Setresgid(gid, gid, gid))
	must(t, syscall.Setresuid(nobody, nobody, nobody))
	c := &mapi.Client{Socket: socket}
	defer c.Close()
	switch os.Getenv(heavyKind) {
	case "hash":
		heavyFlows(t, c, 400, func(f *mapi.Flow) error { return repeat(250, f, "HASH", 65536+3) })
	case "binop":
		heavyFlows(t, c, 100, func(f *mapi.Flow) error {
			n, err := f.Apply(t.Context(), "PKT_COUNTER")
			if err != nil {
				return err
			}
			return repeat(250, f, "BINOP", 0, n, n)
		})
	case "files":
		heavyFiles(t, c, 16, os.Getenv(heavyFile))
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	var y heavyTally
	flows, err := c.Flows(context.Background())
	must(t, err)
	for _, f := range flows {
		y.Flows++
		if !f.Books.Balances() {
			y.Unequal++
		}
		for _, l := range f.Books.Out {
			if l.Name == books.LostShare {
				y.Missed += l.Value
			}
		}
	}
	must(t, json.NewEncoder(os.Stdout).Encode(y))
}

// repeat applies a function many times.
func repeat(n int, f *mapi.Flow, name string, args ...any) error {
	for range n {
		if _, err := f.Apply(context.Background(), name, args...); err != nil {
			return err
		}
	}
	return nil
}

func heavyFlows(t *testing.T, c *mapi.Client, n int, apply func(f *mapi.Flow) error) {
	for range n {
		f, err := c.CreateFlow(t.Context(), testnet.B)
		must(t, err)
		must(t, apply(f))
		must(t, f.Connect(t.Context()))
	}
}

// heavyFiles reads a file many times over.
func heavyFiles(t *testing.T, c *mapi.Client, n int, name string) {
	for range n {
		d, err := c.CreateOfflineDevice(t.Context(), name, mapi.FormatPCAP)
		must(t, err)
		f, err := c.CreateFlow(t.Context(), d.Name())
		must(t, err)
		must(t, f.Connect(t.Context()))
		must(t, d.Start(t.Context()))
	}
}

// endless is a capture file of a trillion bytes that takes no room: empty packets.
func endless(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "endless") // other users cannot enter t.TempDir
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	name := filepath.Join(dir, "endless.pcap")
	head := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0}
	must(t, os.WriteFile(name, head, 0o644))
	must(t, os.Truncate(name, 1<<40))
	return name
}

// startHeavy starts the program, and returns when its flows are connected. finish returns what it
// has found in its books.
func startHeavy(t *testing.T, socket, kind string) (finish func() heavyTally) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHeavyProgram$")
	cmd.Env = append(os.Environ(), heavy+"="+socket, heavyKind+"="+kind, heavyFile+"="+endless(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("the program says %q, %v", ready, err)
	}
	return func() (y heavyTally) {
		input.Close()
		must(t, json.NewDecoder(out).Decode(&y))
		return y
	}
}

// TestHeavyUser has a user with a counter and a reader beside one whose flows, or files, take all
// the time that they get. The first user gets all packets, and the books of the second say what
// was passed by.
func TestHeavyUser(t *testing.T) {
	for _, kind := range []string{"hash", "binop", "files"} {
		t.Run(kind, func(t *testing.T) {
			testnet.Run(t, func(ns *testnet.NS) { heavyUser(t, ns, kind) })
		})
	}
}

func heavyUser(t *testing.T, ns *testnet.NS, kind string) {
	d := startRing(t)
	c := d.client()
	n, err := count(t.Context(), c, testnet.B, "udp")
	must(t, err)
	var seen atomic.Uint64
	buffer, end := startTaking(t, d.client(), &seen)
	defer end()
	finish := startHeavy(t, d.socket, kind)
	passed := func() bool {
		b, err := c.Books(t.Context(), testnet.B)
		return err == nil && slices.ContainsFunc(b.Notes, func(l mapi.Counter) bool { return l.Name == books.PassedBy })
	}
	if kind == "files" {
		start := time.Now()
		passed = func() bool { return time.Since(start) > 2*time.Second }
	}
	sent := pace(t, ns, passed)
	device := atRest(t, c, sent)
	if lost := line(t, device, books.LostRing); lost > 0 {
		t.Errorf("%d packets of %d are lost", lost, sent)
	}
	testenv.Until(t, "the reader has all packets that its own slowness has not cost it", func() bool {
		lost, err := buffer.Lost()
		return err == nil && seen.Load()+lost == sent
	})
	if missed := missedBy(t, c); missed > 0 {
		t.Errorf("%d packets were passed by the first user", missed)
	}
	if got, _ := n.read(t); got != sent {
		t.Errorf("the counter has %d packets of %d", got, sent)
	}
	y := finish()
	t.Logf("%d packets; the heavy user: %+v", sent, y)
	if y.Unequal > 0 || (y.Missed > 0) != (kind != "files") {
		t.Errorf("the books of the heavy user: %+v", y)
	}
}

// missedBy returns how many packets were passed by the flows of a client.
func missedBy(t *testing.T, c *mapi.Client) (n uint64) {
	t.Helper()
	flows, err := c.Flows(t.Context())
	must(t, err)
	for _, f := range flows {
		if f.UID != uint32(os.Geteuid()) {
			continue
		}
		for _, l := range f.Books.Out {
			if l.Name == books.LostShare {
				n += l.Value
			}
		}
	}
	return n
}

// startTaking takes packets from a buffer and counts them, until the returned function is called.
func startTaking(t *testing.T, c *mapi.Client, seen *atomic.Uint64) (buffer *mapi.Function, end func()) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), testnet.B)
	must(t, err)
	buffer, err = f.Apply(t.Context(), "TO_BUFFER")
	must(t, err)
	must(t, f.Connect(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := buffer.Next(ctx); err != nil {
				return
			}
			seen.Add(1)
		}
	}()
	return buffer, func() { cancel(); <-done }
}

// startRing runs a daemon with a ring on b for four seconds of packets: 512 blocks, each of
// which the kernel hands over after 10 ms or when it is full.
func startRing(t *testing.T) *mapid {
	t.Helper()
	config := filepath.Join(t.TempDir(), "mapi.conf")
	text := fmt.Sprintf("[driver]\ndevice=%s\ndriver=mapinicdrv.so\nring_mb=32\nblock_kb=64\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv.so\n", testnet.B)
	must(t, os.WriteFile(config, []byte(text), 0o644))
	return start(t, "--config", config)
}

// pace sends 20,000 a second, until the condition holds.
func pace(t *testing.T, ns *testnet.NS, until func() bool) (sent uint64) {
	t.Helper()
	const rate, batch = 50000, 50
	sender := ns.Sender(testnet.A)
	var frames [][]byte
	for range batch {
		frames = append(frames, testnet.UDP(0, 100))
	}
	start := time.Now()
	for due := time.Duration(0); due < patience; due += batch * time.Second / rate {
		if sent%(rate/10) == 0 && until() {
			return sent
		}
		time.Sleep(due - time.Since(start))
		for _, f := range frames {
			testnet.SetNumber(f, sent)
			sent++
		}
		must(t, sender.SendBatch(frames))
	}
	t.Errorf("nobody is passed by after %d packets", sent)
	return sent
}
