// Package memfile makes memory files that this process writes and programs can only read.
// The process can take their memory back whatever the programs keep: descriptors,
// mappings, or both.
//
// A seal against writing would also keep this process from taking memory back. So other
// users are kept from writing by the mode of the file and a descriptor that is open for
// reading only. Root, and the user that this process runs as, can open the file again for
// writing: what this process needs itself it must not read from such memory.
package memfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Create makes a memory file of size bytes and maps span bytes from its start, shared. The
// part of the mapping beyond size can be used when the file has grown. The file cannot
// shrink, so no access before size hits a missing page (SIGBUS). seals are further seals.
// No memory is allocated yet.
func Create(name string, size, span, prot, seals int) (_ *os.File, _ []byte, err error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, fmt.Errorf("create %s: %w", name, err)
	}
	file := os.NewFile(uintptr(fd), name)
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	if err := unix.Fchmod(fd, 0o600); err != nil {
		return nil, nil, fmt.Errorf("keep other users from %s: %w", name, err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, nil, fmt.Errorf("allocate %d bytes for %s: %w", size, name, err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL); err != nil {
		return nil, nil, fmt.Errorf("seal %s: %w", name, err)
	}
	mem, err := unix.Mmap(fd, 0, span, prot, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", name, err)
	}
	return file, mem, nil
}

// ReadOnly returns the file opened again for reading only, for programs. It closes file,
// also after an error. Mappings made before stay as they are.
func ReadOnly(file *os.File) (*os.File, error) {
	defer file.Close()
	fd, err := unix.Open(path(file), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s for reading only: %w; /proc must be mounted", file.Name(), err)
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

// Grow makes a file larger. The file may be open for reading only.
func Grow(file *os.File, size int) error {
	if err := unix.Truncate(path(file), int64(size)); err != nil {
		return fmt.Errorf("grow %s to %d bytes: %w; /proc must be mounted", file.Name(), size, err)
	}
	return nil
}

// path names the open file itself, not the name that it was created with (proc(5)).
func path(file *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", file.Fd()) }

// TakeBack returns the memory of a mapped part of a file to the system, whole pages only.
// All who have mapped it read zeros from then on, never a missing page; pages that they
// touch after that are theirs.
func TakeBack(mem []byte) error {
	if len(mem) == 0 {
		return nil
	}
	if err := unix.Madvise(mem, unix.MADV_REMOVE); err != nil {
		return fmt.Errorf("take back %d bytes of shared memory: %w", len(mem), err)
	}
	return nil
}
