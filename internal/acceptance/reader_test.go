package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// numberedSize is the length of the frames that readers expect.
const numberedSize = 1000

// A tally is what a reader has seen of numbered frames.
type tally struct {
	Seen  uint64
	Lost  uint64 // according to its buffer
	Wrong string // first error, if any
}

// A reader takes numbered frames from a packet buffer and checks them.
type reader struct {
	flow   *mapi.Flow
	buffer *mapi.Function
	want   []byte // the last frame taken
	seen   atomic.Uint64

	// These belong to whoever takes packets.
	next  uint64 // lowest number that may follow
	wrong string
}

// newReader connects a flow with a counter and a packet buffer.
func newReader(ctx context.Context, c *mapi.Client, device string) (*reader, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	r := &reader{flow: f, want: testnet.UDP(0, numberedSize)}
	if _, err := f.Apply(ctx, "PKT_COUNTER"); err != nil {
		return nil, err
	}
	if r.buffer, err = f.Apply(ctx, "TO_BUFFER"); err != nil {
		return nil, err
	}
	return r, f.Connect(ctx)
}

// take checks one frame: complete, and later than those before.
func (r *reader) take(p *mapi.Packet) {
	n, ok := testnet.Number(p.Data)
	testnet.SetNumber(r.want, n)
	if (!ok || n < r.next || !bytes.Equal(p.Data, r.want)) && r.wrong == "" {
		r.wrong = fmt.Sprintf("packet %d has number %d, not before %d, %d bytes", r.seen.Load(), n, r.next, len(p.Data))
	}
	r.next = n + 1
	r.seen.Add(1)
}

// drain takes the packets in the buffer, up to most.
func (r *reader) drain(most int) error {
	for range most {
		p, err := r.buffer.TryNext()
		if p == nil || err != nil {
			return err
		}
		r.take(p)
	}
	return nil
}

// tally is called when no more packets are taken.
func (r *reader) tally() (tally, error) {
	lost, err := r.buffer.Lost()
	return tally{Seen: r.seen.Load(), Lost: lost, Wrong: r.wrong}, err
}

// final returns the tally when no more packets are taken.
func (r *reader) final(t *testing.T) tally {
	t.Helper()
	y, err := r.tally()
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// deadReader is the environment variable that makes the test binary a program
// which takes packets only when its input ends.
const deadReader = "MAPI_TEST_DEAD_READER"

// TestDeadReader is the program of TestOverload.
func TestDeadReader(t *testing.T) {
	socket := os.Getenv(deadReader)
	if socket == "" {
		t.Skip("a program for TestOverload") // not a test of its own
	}
	c := &mapi.Client{Socket: socket}
	defer c.Close()
	r, err := newReader(t.Context(), c, testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	if err := r.drain(math.MaxInt); err != nil {
		t.Fatal(err)
	}
	y, err := r.tally()
	if err != nil {
		t.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(y)
	io.Copy(io.Discard, os.NewFile(3, "end of the test")) // the flow exists until then
}

// A sleeper is a reader in a separate, stopped program.
type sleeper struct {
	cmd   *exec.Cmd
	input io.Closer
	says  *json.Decoder
}

// startDeadReader starts a reader and stops it as soon as it is connected.
func startDeadReader(t *testing.T, socket string) *sleeper {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeadReader$")
	cmd.Env = append(os.Environ(), deadReader+"="+socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	t.Cleanup(func() {
		ours.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("the dead reader says %q, %v", ready, err)
	}
	halt(t, cmd.Process)
	return &sleeper{cmd: cmd, input: input, says: json.NewDecoder(out)}
}

// resume lets the program take the available packets and returns its tally. The
// flow remains.
func (s *sleeper) resume(t *testing.T) (y tally) {
	t.Helper()
	s.cmd.Process.Signal(syscall.SIGCONT)
	s.input.Close()
	if err := s.says.Decode(&y); err != nil {
		t.Fatalf("the dead reader says no numbers: %v", err)
	}
	return y
}

// halt stops a child and waits until it has stopped.
func halt(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("process %d is not stopped: %v, %v", p.Pid, status, err)
	}
}
