package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// readyText is the message of a background process once clients can connect.
// Any other message is the reason of its failure.
const readyText = "ready\n"

// maxReason is the maximum length of this reason in bytes.
const maxReason = 64 << 10

// detach restarts this program in the background, with the same arguments, in a
// new session without terminal and standard streams. It returns when the new
// process is ready, or with the error that ended it. A Go program cannot fork,
// because the child would lack all threads but one.
func detach(args []string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	defer r.Close()
	child := append([]string{args[0], "--ready-fd=3"}, args[1:]...)
	proc, err := os.StartProcess(exe, child, &os.ProcAttr{
		Files: []*os.File{null, null, null, w},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	w.Close()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	return awaitReady(proc, r)
}

// awaitReady reads the messages of the process during its start, until it
// closes the pipe.
func awaitReady(proc *os.Process, r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, maxReason))
	if err == nil && string(text) == readyText {
		return proc.Release()
	}
	state, waitErr := proc.Wait()
	switch {
	case len(text) > 0:
		return errors.New(string(text))
	case waitErr != nil:
		return fmt.Errorf("background process: %w", errors.Join(err, waitErr))
	}
	return fmt.Errorf("the background process ended before it was ready: %v", state)
}

// A readyPipe is the end of the background process. It tells the waiting
// process the outcome of the start. A nil readyPipe has nobody waiting. Only
// the first message counts.
type readyPipe struct{ f *os.File }

// openReadyPipe takes descriptor fd; a negative fd gives a nil readyPipe.
func openReadyPipe(fd int) *readyPipe {
	if fd < 0 {
		return nil
	}
	// Children must not inherit it: the waiting process reads until all copies
	// are closed.
	unix.CloseOnExec(fd)
	return &readyPipe{f: os.NewFile(uintptr(fd), "ready")}
}

// ready reports that clients can connect.
func (p *readyPipe) ready() { p.tell(readyText) }

// failed reports why the start failed, if it did.
func (p *readyPipe) failed(err error) {
	if err != nil {
		p.tell(err.Error())
	}
}

func (p *readyPipe) tell(text string) {
	if p == nil || p.f == nil {
		return
	}
	// An error here could reach nobody.
	_, _ = p.f.WriteString(text)
	_ = p.f.Close()
	p.f = nil
}
