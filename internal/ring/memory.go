package ring

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Seals of the two files. Their sizes cannot change, so no access hits a missing page
// (SIGBUS). Only the daemon can map the packets writable.
const (
	fixedSize = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW
	dataSeals = fixedSize | unix.F_SEAL_FUTURE_WRITE | unix.F_SEAL_SEAL
	pageSeals = fixedSize | unix.F_SEAL_SEAL
)

// mappings are the two files in memory.
type mappings struct{ data, page []byte }

func (m mappings) unmap() {
	for _, mem := range [][]byte{m.data, m.page} {
		if mem != nil {
			_ = unix.Munmap(mem) // fails only if it is not a mapping
		}
	}
}

// makeMemory creates a memory file of size bytes, maps it and seals it. No memory is
// allocated yet.
func makeMemory(name string, size, prot, seals int) (_ *os.File, _ []byte, err error) {
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
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, nil, fmt.Errorf("allocate %d bytes for %s: %w", size, name, err)
	}
	mem, err := unix.Mmap(fd, 0, size, prot, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", name, err)
	}
	// F_SEAL_FUTURE_WRITE does not affect the mapping above, so it comes after it.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		_ = unix.Munmap(mem)
		return nil, nil, fmt.Errorf("seal %s: %w", name, err)
	}
	return file, mem, nil
}

// allocate allocates all memory of the file now, because a later shortage would end the
// daemon with SIGBUS. It proceeds in steps: a signal undoes the current step
// (fallocate(2), EINTR), and the Go runtime sends signals often.
func allocate(fd, size int) error {
	const step = 4 << 20
	for off := 0; off < size; off += step {
		err := error(unix.EINTR)
		for err == unix.EINTR {
			err = unix.Fallocate(fd, 0, int64(off), int64(min(step, size-off)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mapMemory maps a file from another process. It refuses a file whose size can change.
func mapMemory(file *os.File, name string, minSize, maxSize int64, prot int) ([]byte, error) {
	seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0)
	if err != nil {
		return nil, fmt.Errorf("get the seals of the %s: %w", name, err)
	}
	if seals&fixedSize != fixedSize {
		return nil, fmt.Errorf("the %s is not sealed against changes of its size (seals %#x)", name, seals)
	}
	st, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("get the size of the %s: %w", name, err)
	}
	if st.Size() < minSize || st.Size() > maxSize {
		return nil, fmt.Errorf("the %s has %d bytes, not %d to %d", name, st.Size(), minSize, maxSize)
	}
	mem, err := unix.Mmap(int(file.Fd()), 0, int(st.Size()), prot, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the %s: %w", name, err)
	}
	return mem, nil
}
