package filter

import (
	"bufio"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// answers are the end of a pipe that a child writes to.
type answers struct {
	*bufio.Reader // an answer in one system call
	file          *os.File
	conn          syscall.RawConn
}

// newAnswers makes a pipe. w is the end for the child.
func newAnswers() (a answers, w *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return answers{}, nil, err
	}
	conn, err := r.SyscallConn()
	if err != nil {
		r.Close()
		w.Close()
		return answers{}, nil, err
	}
	return answers{bufio.NewReader(r), r, conn}, w, nil
}

// Close makes reading fail, also that under way.
func (a answers) Close() error { return a.file.Close() }

// ready reports whether there is something to read, also when it is the end.
func (a answers) ready() bool {
	n := 0
	err := a.conn.Control(func(fd uintptr) {
		n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	})
	return n > 0 || err != nil
}
