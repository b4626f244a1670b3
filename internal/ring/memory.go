package ring

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"gomapi/internal/memfile"
)

// fixedSize are the seals that both files have. Their sizes cannot change, so no access hits
// a missing page (SIGBUS).
const fixedSize = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW

// mappings are the two files in memory.
type mappings struct{ data, page []byte }

// takeBack returns the memory of both files to the system. Whoever has mapped them reads
// zeros from then on.
func (m mappings) takeBack() error {
	return errors.Join(memfile.TakeBack(m.data), memfile.TakeBack(m.page))
}

func (m mappings) unmap() {
	for _, mem := range [][]byte{m.data, m.page} {
		if mem != nil {
			_ = unix.Munmap(mem) // fails only if it is not a mapping
		}
	}
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
