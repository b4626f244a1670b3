package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A pidFile holds the PID of a background process, which keeps the file locked.
// Without the lock the owner is dead, and the file is taken over even if
// another process has this PID now.
type pidFile struct {
	path string
	f    *os.File // nil unless this process owns the file
}

// pidPath returns the path from the command line, else the usual path for the
// daemon of a device group.
func pidPath(o *options) string {
	switch {
	case filepath.IsAbs(o.pidFile):
		return o.pidFile
	case o.pidFile != "":
		return filepath.Join(o.dir, o.pidFile)
	case o.group == 0:
		return "/var/run/mapid.pid"
	}
	return fmt.Sprintf("/var/run/mapid%d.pid", o.group)
}

// claim writes the file, unless another live process owns it.
func (p *pidFile) claim() error {
	for {
		f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return err
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			owner, _ := io.ReadAll(io.LimitReader(f, 32))
			f.Close()
			return fmt.Errorf("%s is locked by process %s, which is running", p.path, strings.TrimSpace(string(owner)))
		}
		if err != nil {
			f.Close()
			return fmt.Errorf("lock %s: %w", p.path, err)
		}
		if p.current(f) {
			return p.write(f)
		}
		f.Close() // its owner removed it between open and lock
	}
}

// current reports whether f is still the file at the path.
func (p *pidFile) current(f *os.File) bool {
	here, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(p.path)
	return err == nil && os.SameFile(here, there)
}

func (p *pidFile) write(f *os.File) error {
	text := fmt.Sprintf("%d\n", os.Getpid())
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	p.f = f
	return nil
}

// remove deletes the file if this process owns it. It may be called more than
// once.
func (p *pidFile) remove() {
	if p.f == nil {
		return
	}
	// Keep the lock until the name is removed.
	_ = os.Remove(p.path)
	_ = p.f.Close()
	p.f = nil
}
