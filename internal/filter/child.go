package filter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
	"gomapi/internal/spin"
)

// maxServed is the number of requests after which a child is replaced. This bounds the
// memory that libpcap leaks.
const maxServed = 8192

// A child is a running helper process. One goroutine at a time may use it.
type child struct {
	process  *os.Process
	requests io.WriteCloser
	answers  answers
	served   int

	exited chan struct{}    // closed by the goroutine that reaps the process
	state  *os.ProcessState // how it ended; valid when exited is closed
}

// spawn starts a child. The kernel kills it when the calling thread ends.
func spawn(o HelperOptions) (*child, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cpu := uint64(2*maxServed*o.Timeout.Seconds()) + 60
	cmd := &exec.Cmd{
		Path:   o.Path,
		Args:   []string{HelperName, strconv.FormatUint(o.MemoryLimit, 10), strconv.FormatUint(cpu, 10)},
		Dir:    "/",
		Env:    []string{"GOTRACEBACK=none"},
		Stdout: w,
		// The child has its own process group, so that an interrupt from a terminal
		// reaches only the daemon.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
	}
	conn, err := r.SyscallConn()
	requests, errPipe := cmd.StdinPipe()
	if err = errors.Join(err, errPipe); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	c := &child{process: cmd.Process, requests: requests, answers: answers{bufio.NewReader(r), r, conn}, exited: make(chan struct{})}
	go c.reap() // ends with the process, for which kill waits
	return c, nil
}

func (c *child) reap() {
	c.state, _ = c.process.Wait()
	close(c.exited)
}

// ready waits until the child reports that it is ready.
func (c *child) ready(ctx context.Context) error {
	_, err := c.during(ctx, func() ([]bpf.RawInstruction, error) {
		return readAnswer(c.answers)
	})
	return err
}

// compile lets the child compile expr. Errors are as in readAnswer.
func (c *child) compile(ctx context.Context, expr string, linkType uint16) ([]bpf.RawInstruction, error) {
	c.served++
	return c.during(ctx, func() ([]bpf.RawInstruction, error) {
		if err := writeRequest(c.requests, expr, linkType); err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		spin.Until(c.answers.ready)
		return readAnswer(c.answers)
	})
}

// during runs exchange and kills the child if ctx ends first.
func (c *child) during(ctx context.Context, exchange func() ([]bpf.RawInstruction, error)) ([]bpf.RawInstruction, error) {
	stop := context.AfterFunc(ctx, c.interrupt)
	raw, err := exchange()
	if !stop() {
		return nil, ctx.Err()
	}
	if c.answers.Buffered() > 0 { // it would be taken for the answer to the next request
		return nil, errProtocol
	}
	return raw, err
}

// interrupt kills the child, so that every exchange with it fails.
func (c *child) interrupt() {
	_ = c.process.Kill() // fails only if it has ended
	c.requests.Close()
	c.answers.Close()
}

// kill ends the child and waits until it is reaped.
func (c *child) kill() {
	c.interrupt()
	<-c.exited
}

// usable reports whether the child may serve again.
func (c *child) usable() bool {
	select {
	case <-c.exited:
		return false
	default:
		return c.served < maxServed
	}
}

// exitReason says why the child, which was killed after err, failed.
func (c *child) exitReason(err error) string {
	if errors.Is(err, errProtocol) || errors.Is(err, context.DeadlineExceeded) || c.state == nil {
		return err.Error()
	}
	return c.state.String()
}

// answers is the daemon's end of the pipe to which a child writes.
type answers struct {
	*bufio.Reader // reads an answer in one system call
	file          *os.File
	conn          syscall.RawConn
}

// Close makes reads fail, including one under way.
func (a answers) Close() error { return a.file.Close() }

// ready reports whether there is something to read, or the end.
func (a answers) ready() bool {
	n := 0
	err := a.conn.Control(func(fd uintptr) {
		n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	})
	return n > 0 || err != nil
}
