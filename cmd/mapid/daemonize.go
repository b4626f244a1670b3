package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// readyText is what a background process writes once clients can connect.
// Anything else that it writes is the reason why it failed.
const readyText = "ready\n"

// maxReason bounds in bytes what is read from a failing process.
const maxReason = 64 << 10

// detach starts this program again with the same arguments in a session of its
// own, without terminal and streams, and returns when that process is ready. A
// Go program cannot fork: its other threads would be missing in the child. The
// error is the one that ended the new process.
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

// awaitReady reads what the process says of its start until it closes the pipe.
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

// A readyPipe is the other end: it tells the waiting process how the start went.
// Without one (nil) nobody waits. The first message counts.
type readyPipe struct{ f *os.File }

// openReadyPipe takes the descriptor fd, none when it is negative.
func openReadyPipe(fd int) *readyPipe {
	if fd < 0 {
		return nil
	}
	// It is ours alone: the waiting process reads until all copies are closed.
	unix.CloseOnExec(fd)
	return &readyPipe{f: os.NewFile(uintptr(fd), "ready")}
}

// ready says that clients can connect.
func (p *readyPipe) ready() { p.tell(readyText) }

// failed says why the start failed, if it did.
func (p *readyPipe) failed(err error) {
	if err != nil {
		p.tell(err.Error())
	}
}

func (p *readyPipe) tell(text string) {
	if p == nil || p.f == nil {
		return
	}
	// Nobody is left to hear of an error here.
	_, _ = p.f.WriteString(text)
	_ = p.f.Close()
	p.f = nil
}
