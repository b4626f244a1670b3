package mapi

import (
	"errors"
	"os"

	"gomapi/internal/mapierr"
)

// A target is the output file of a function, given as a path. Its content is
// kept until the function has been applied.
type target struct {
	path string
	file *os.File
	made bool // the call has created the file
}

// openTarget opens a file for writing, with the rights and mode of the
// original, but keeps its content.
func openTarget(path string) (*target, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	made := err == nil
	if errors.Is(err, os.ErrExist) {
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	}
	if err != nil {
		return nil, mapierr.Wrap(ErrFile, "open the file to write", err)
	}
	return &target{path, f, made}, nil
}

// accept truncates the file after the function was applied.
func (t *target) accept() error {
	defer t.file.Close()
	st, err := t.file.Stat()
	if err == nil && st.Mode().IsRegular() && st.Size() > 0 {
		err = t.file.Truncate(0)
	}
	if err != nil {
		return mapierr.Wrap(ErrFile, "empty the file to write", err)
	}
	return nil
}

// discard removes the file if the call has created it and the path still refers
// to it.
func (t *target) discard() {
	defer t.file.Close()
	if !t.made {
		return
	}
	ours, err := t.file.Stat()
	there, errThere := os.Lstat(t.path)
	if err == nil && errThere == nil && os.SameFile(ours, there) {
		_ = os.Remove(t.path) // the error of the call matters more
	}
}

// refuseCapture rejects an output file that the daemon reads for this program,
// because it would destroy the input.
func (l *link) refuseCapture(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return mapierr.Wrap(ErrFile, "get the state of the output file", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for device, capture := range l.captures {
		if os.SameFile(st, capture) {
			return mapierr.New(ErrFile, "%s is the capture file that device %q reads: write to another file, or delete the device first",
				f.Name(), device)
		}
	}
	return nil
}
