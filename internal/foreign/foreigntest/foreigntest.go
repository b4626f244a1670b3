// Package foreigntest has files for tests of what reads and writes the files of clients.
package foreigntest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/account"
	"gomapi/internal/foreign"
)

// Own gives f away, as a client gives it to the daemon. The File has a user of its own.
func Own(t testing.TB, f *os.File) *foreign.File {
	t.Helper()
	own, err := foreign.Own(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	return own
}

// User makes a user, who may have as many files as the test likes, until the end of the test.
func User(t testing.TB) *foreign.User {
	limits := account.Default(1<<40, 1<<20)
	limits[account.WrittenFiles].All = 1 << 20
	u := foreign.NewPool(account.New(limits)).Join(account.Holder{ID: "test", Root: true})
	t.Cleanup(u.Leave)
	return u
}

// Give gives f away to a user, with the rights of the test.
func Give(t testing.TB, u *foreign.User, f *os.File) *foreign.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	name := f.Name()
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	return give(t, u, fd, name)
}

func give(t testing.TB, u *foreign.User, fd int, name string) *foreign.File {
	t.Helper()
	own, err := u.Open(foreign.Descriptor(fd), name, foreign.Rights{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	return own
}
