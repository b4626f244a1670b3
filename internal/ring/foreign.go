package ring

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Foreign is what a reader in another language needs in place of a Reader: the two
// files in memory (layout.go), valid as long as the Reader is in use, and a
// descriptor of the socket, blocking, which becomes the caller's. Who has it
// takes the Reader's part: Next and its like may no longer be called.
func (r *Reader) Foreign() (data, page []byte, sock *os.File, err error) {
	if r.closed.Load() {
		return nil, nil, nil, os.ErrClosed
	}
	fd, dupErr := -1, error(nil)
	err = r.raw.Control(func(own uintptr) {
		fd, dupErr = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = dupErr
	}
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("pass the socket of a packet buffer on: %w", err)
	}
	return r.maps.data, r.maps.page, os.NewFile(uintptr(fd), "mapi-ring-wake"), nil
}
