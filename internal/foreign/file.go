package foreign

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"gomapi/internal/account"
)

// A File is a descriptor of a client. Any goroutine may call everything.
type File struct {
	user   *User
	rights Rights
	fd     int
	name   string

	mu     sync.Mutex
	uses   int // calls under way
	closed bool
	taken  account.Sum // what the file has on the account of the user
}

// Open takes fd over. The name is for people; the rights are those of the client. It fails, and
// closes fd, if the user has too many descriptors.
func (u *User) Open(fd Descriptor, name string, rights Rights) (*File, error) {
	if err := u.account.Take(account.Descriptors, 1); err != nil {
		u.Discard(fd)
		return nil, err
	}
	u.join()
	return &File{user: u, rights: rights, fd: int(fd), name: name, taken: account.Sum{account.Descriptors: 1}}, nil
}

// Own makes a File of a file that is not a client's, or that a test has opened, and closes f. It
// has a user of its own.
func Own(f *os.File) (*File, error) {
	name := f.Name()
	defer f.Close()
	fd := -1
	conn, err := f.SyscallConn()
	if err == nil {
		err = conn.Control(func(n uintptr) { fd, _ = unix.FcntlInt(n, unix.F_DUPFD_CLOEXEC, 0) }) // -1 causes an error when it is used
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	user := NewPool(account.New(account.ForMachine())).Join(account.Holder{ID: "own", Root: true})
	defer user.Leave()
	return user.Open(Descriptor(fd), name, Rights{uint32(os.Geteuid()), uint32(os.Getegid())})
}

// Name returns the name given to Open.
func (f *File) Name() string { return f.name }

// Rights returns the rights of the client.
func (f *File) Rights() Rights { return f.rights }

// Charge charges more to the user, until the file is closed and nothing uses it any more.
func (f *File) Charge(s account.Sum) error {
	if err := f.user.account.TakeSum(s); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, n := range s {
		f.taken[k] += n
	}
	return nil
}

// Use makes a call on the descriptor, which stays open meanwhile. The call must be one that never
// hangs; see Write for others.
func (f *File) Use(call func(fd int) error) error {
	if err := f.begin(); err != nil {
		return err
	}
	defer f.finish()
	return call(f.fd)
}

// begin keeps the descriptor open until finish.
func (f *File) begin() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fmt.Errorf("%s: %w", f.name, os.ErrClosed)
	}
	f.uses++
	return nil
}

// finish ends a use.
func (f *File) finish() {
	f.mu.Lock()
	f.uses--
	last := f.closed && f.uses == 0
	f.mu.Unlock()
	if last {
		f.user.Discard(f.descriptor())
	}
}

// Close closes the file, later if a call is under way. It never waits, and may be called more
// than once.
func (f *File) Close() {
	if f.end() {
		f.user.Discard(f.descriptor())
	}
}

// Finish is Close, but closes the file here, in a place for writes, because some file systems
// report only then that the data is lost. If stop is closed before there is a place, Finish
// does not wait.
func (f *File) Finish(stop <-chan struct{}) error {
	if !f.user.writes.take(stop) {
		f.Close()
		return nil
	}
	defer f.user.writes.give()
	if !f.end() {
		return nil
	}
	return f.descriptor().Close()
}

// end marks the file as closed, and reports whether the caller must close the descriptor.
func (f *File) end() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.closed
	f.closed = true
	return first && f.uses == 0
}

// A lastUse closes the descriptor of a file and ends what its user pays for it.
type lastUse struct{ *File }

func (f *File) descriptor() lastUse { return lastUse{f} }

func (f lastUse) Close() error {
	err := Descriptor(f.fd).Close()
	f.user.account.GiveSum(f.taken)
	f.user.Leave()
	return err
}

// Capture checks that captures can be read from the file. The wait ends with ctx.
func (f *File) Capture(ctx context.Context) error { return f.inspect(ctx, capture) }

// Output checks that the daemon may write to the file for the client, and returns its kind
// (unix.S_IFREG and the like). The wait ends with ctx.
func (f *File) Output(ctx context.Context) (kind uint32, err error) {
	found := new(uint32)
	err = f.inspect(ctx, func(fd int) (err error) {
		*found, err = output(fd)
		return err
	})
	if err != nil {
		return 0, err
	}
	return *found, nil
}

// inspect calls check in a place for reads.
func (f *File) inspect(ctx context.Context, check func(fd int) error) error {
	result := make(chan error, 1)
	if !f.user.reads.do(ctx.Done(), func() { result <- f.Use(check) }) {
		return ctx.Err()
	}
	return <-result
}

// Write makes a call that writes, in a place for writes. It reports false if stop is closed
// before there is a place. asClient makes the call with the rights of the client.
func (f *File) Write(stop <-chan struct{}, asClient bool, call func(fd int) error) (bool, error) {
	if !f.user.writes.take(stop) {
		return false, nil
	}
	defer f.user.writes.give()
	if !asClient {
		return true, f.Use(call)
	}
	var err error
	if denied := f.rights.exercise(func() { err = f.Use(call) }); denied != nil {
		return true, denied
	}
	return true, err
}
