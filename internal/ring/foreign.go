package ring

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Foreign is the equivalent of a Reader for another language: the two files in memory
// (layout.go) and a blocking descriptor of the socket. The caller owns all three. It
// closes the socket and calls Free.
type Foreign struct {
	Data, Page []byte
	Socket     *os.File
}

// Foreign closes the Reader and returns the means to go on reading. The error is
// os.ErrClosed if the Reader was closed before.
func (r *Reader) Foreign() (Foreign, error) {
	if !r.reading.CompareAndSwap(false, true) {
		return Foreign{}, ErrBusy
	}
	defer r.reading.Store(false)
	sock, err := r.duplicateSocket()
	if err != nil {
		return Foreign{}, err
	}
	if r.closed.Swap(true) {
		sock.Close()
		return Foreign{}, os.ErrClosed
	}
	r.conn.Close()
	return Foreign{r.maps.data, r.maps.page, sock}, nil
}

// Free unmaps the memory, which must not be used any more.
func (f Foreign) Free() { mappings{f.Data, f.Page}.unmap() }

func (r *Reader) duplicateSocket() (*os.File, error) {
	fd, dupErr := -1, error(nil)
	err := r.raw.Control(func(own uintptr) {
		fd, dupErr = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = dupErr
	}
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		return nil, fmt.Errorf("pass on the socket of a packet buffer: %w", err)
	}
	return os.NewFile(uintptr(fd), "mapi-ring-wake"), nil
}
