package main

import (
	"errors"
	"io"
	"log/syslog"
	"os"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// A streamSink writes to standard output or standard error.
type streamSink struct{ w io.Writer }

func (s streamSink) write(_ logrus.Level, line []byte) error {
	_, err := s.w.Write(line)
	return err
}

// A fileSink appends to the file at path. It opens the file for each message,
// so it copes with a file that was moved, removed or made writable again.
type fileSink struct{ path string }

func (s fileSink) write(_ logrus.Level, line []byte) error {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(s.path, flags, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // releases the lock
	if err := lockFile(f); err != nil {
		return err
	}
	n, err := f.Write(line)
	if err != nil && n > 0 {
		// The disk is full: remove the partial line while the file is locked.
		if end, seekErr := f.Seek(0, io.SeekEnd); seekErr == nil {
			err = errors.Join(err, f.Truncate(end-int64(n)))
		}
	}
	return err
}

// lockFile waits for the record lock on the whole file, because mapid and
// mapicommd may share it.
func lockFile(f *os.File) error {
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &unix.Flock_t{Type: unix.F_WRLCK})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// A syslogSink writes to the system log as MAPID, facility LOCAL1. It
// reconnects after the log daemon was away.
type syslogSink struct {
	network, addr string // empty: the system's socket
	w             *syslog.Writer
}

func (s *syslogSink) write(level logrus.Level, line []byte) error {
	if s.w == nil {
		w, err := syslog.Dial(s.network, s.addr, syslog.LOG_LOCAL1|syslog.LOG_INFO, "MAPID")
		if err != nil {
			return err
		}
		s.w = w
	}
	err := s.send(level, string(line))
	if err != nil {
		_ = s.w.Close()
		s.w = nil
	}
	return err
}

func (s *syslogSink) send(level logrus.Level, line string) error {
	switch {
	case level <= logrus.ErrorLevel:
		return s.w.Err(line)
	case level == logrus.WarnLevel:
		return s.w.Warning(line)
	case level == logrus.InfoLevel:
		return s.w.Info(line)
	}
	return s.w.Debug(line)
}
