package mapi_test

import (
	"os"

	"golang.org/x/sys/unix"
	"gomapi/internal/shm"
)

// sealed returns memory like a daemon's, with room for a flow.
func sealed() *os.File {
	seg, err := shm.NewSegment()
	must(err)
	_, err = seg.Flow()
	must(err)
	defer seg.Leave()
	fd, err := unix.FcntlInt(seg.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	must(err)
	return os.NewFile(uintptr(fd), "results")
}
