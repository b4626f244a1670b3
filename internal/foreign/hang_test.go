package foreign_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/account"
	"gomapi/internal/foreign"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/testenv"
)

// world is a pool with users.
type world struct {
	t        *testing.T
	accounts *account.Accounts
	pool     *foreign.Pool
}

func newWorld(t *testing.T) *world {
	accounts := account.New(account.Default(1<<30, 1<<12))
	return &world{t, accounts, foreign.NewPool(accounts)}
}

func (w *world) user(id string) *foreign.User {
	u := w.pool.Join(account.Holder{ID: id})
	w.t.Cleanup(u.Leave)
	return u
}

// give opens f, which it closes, for a user.
func (w *world) give(u *foreign.User, f *os.File) *foreign.File {
	w.t.Helper()
	return foreigntest.Give(w.t, u, f)
}

func (w *world) file(u *foreign.User, data string) *foreign.File {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		w.t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.give(u, f)
}

// TestReadsThatHang has a user whose reads hang: four of them do, the others wait without a
// thread, all of them end at once when they are not wanted any more, and another user reads.
// The files stay on the account until the reads return.
func TestReadsThatHang(t *testing.T) {
	fs := foreigntest.Hang(t, []byte("data"), foreigntest.Read)
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	ctx, cancel := context.WithCancel(t.Context())
	const files = 20
	ended := make(chan error, files)
	for range files {
		f := fs.Give(t, ann, os.O_RDONLY)
		go func() {
			r := foreign.NewReader(f)
			got := make(chan error, 1)
			err := error(context.Canceled) // left behind
			if r.Attend(ctx, func() { _, err := r.Read(make([]byte, 10)); got <- err }) {
				err = <-got // it had no place
			}
			f.Close()
			ended <- err
		}()
	}
	fs.Await(t, foreigntest.Read, 4)
	r := foreign.NewReader(w.file(bob, "text"))
	r.Attend(t.Context(), func() {
		if got, err := io.ReadAll(r); string(got) != "text" || err != nil {
			t.Errorf("another user reads %q, %v", got, err)
		}
	})
	cancel()
	for range files {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a read ends with %v", err)
		}
	}
	a := w.accounts.Open(account.Holder{ID: "ann"})
	defer a.Close()
	testenv.Until(t, "files whose reads never began are closed", func() bool { return a.Taken(account.Descriptors) <= 4 })
	if n := fs.Held(foreigntest.Read); n != 4 || a.Taken(account.Descriptors) != 4 {
		t.Errorf("%d reads hang, and %d descriptors are on the account, want 4", n, a.Taken(account.Descriptors))
	}
	fs.Release()
	testenv.Until(t, "the account is empty", func() bool { return a.Taken(account.Descriptors) == 0 })
}

// TestPlaces fills all places of a user for writes. The next one waits until it is stopped.
func TestPlaces(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	release, busy := make(chan struct{}), make(chan struct{})
	for range 4 {
		f := w.file(ann, "")
		go f.Write(nil, false, func(int) error { busy <- struct{}{}; <-release; return nil })
		<-busy
	}
	defer close(release)
	stop := make(chan struct{})
	close(stop)
	never := func(int) error { t.Error("there was a place"); return nil }
	if began, err := w.file(ann, "").Write(stop, false, never); began || err != nil {
		t.Errorf("a write beyond the places: %v, %v", began, err)
	}
	if began, err := w.file(bob, "").Write(stop, false, func(int) error { return nil }); !began || err != nil {
		t.Errorf("a write of another user: %v, %v", began, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestClosingsThatLinger hands over connections whose close(2) waits. Nobody waits for them: not
// the user, another one's files are closed, and a user with very many of them settles first.
func TestClosingsThatLinger(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	var lets []func()
	for range 5 {
		f, let := foreigntest.Lingering(t)
		lets = append(lets, let)
		w.give(ann, f).Close()
	}
	f := w.file(bob, "")
	f.Close()
	b := w.accounts.Open(account.Holder{ID: "bob"})
	defer b.Close()
	testenv.Until(t, "the other user's file is closed", func() bool { return b.Taken(account.Descriptors) == 0 })
	a := w.accounts.Open(account.Holder{ID: "ann"})
	defer a.Close()
	if n := a.Taken(account.Descriptors); n != 5 {
		t.Errorf("%d descriptors are on the account, want 5", n)
	}
	must(t, ann.Settle(t.Context()))
	for range 251 {
		null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		must(t, err)
		ann.Discard(foreign.Descriptor(null))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ann.Settle(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("settle with 256 descriptors: %v", err)
	}
	w.pool.Wait(time.Millisecond) // does not wait for what hangs
	for _, let := range lets {
		let()
	}
	must(t, ann.Settle(t.Context()))
	w.pool.Wait(testenv.Patience)
	if n := a.Taken(account.Descriptors); n != 0 {
		t.Errorf("%d descriptors are left on the account", n)
	}
}

// TestWhoComesBackWhileClosingsLinger has a user who leaves while closings hang, and comes back: it
// has the same places, and is forgotten when all is closed.
func TestWhoComesBackWhileClosingsLinger(t *testing.T) {
	w := newWorld(t)
	ann := w.pool.Join(account.Holder{ID: "ann"})
	var lets []func()
	for range 2 {
		f, let := foreigntest.Lingering(t)
		lets = append(lets, let)
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
		f.Close()
		ann.Discard(foreign.Descriptor(fd))
	}
	ann.Leave()
	again := w.pool.Join(account.Holder{ID: "ann"})
	if again != ann {
		t.Error("who comes back has further places")
	}
	again.Leave()
	for _, let := range lets {
		let()
	}
	testenv.Until(t, "the user is forgotten", func() bool { return len(w.accounts.List()) == 0 })
}

// TestInspectionThatHangs asks a file whose attributes and file system do not answer.
func TestInspectionThatHangs(t *testing.T) {
	for _, call := range []foreigntest.Call{foreigntest.GetAttr, foreigntest.StatFS} {
		t.Run(fmt.Sprint(call), func(t *testing.T) {
			fs := foreigntest.Hang(t, []byte("data"), call)
			w := newWorld(t)
			f := fs.Give(t, w.user("ann"), os.O_RDWR)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				fs.Await(t, call, 1)
				cancel()
			}()
			if err := f.Capture(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			cancel()
		})
	}
}

// TestPseudoFiles are refused for reading and writing. The kernel has many more of them.
func TestPseudoFiles(t *testing.T) {
	w := newWorld(t)
	u := w.user("ann")
	for path, want := range map[string]string{
		"/proc/self/autogroup":             "pseudo file system proc",
		"/proc/self/comm":                  "pseudo file system proc",
		"/sys/kernel/mm/lru_gen/enabled":   "pseudo file system sysfs",
		"/sys/kernel/profiling":            "pseudo file system sysfs",
		"/sys/fs/cgroup/cgroup.procs":      "pseudo file system cgroup2",
		"/sys/kernel/debug/tracing/marker": "pseudo file system",
	} {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Log(err)
			continue
		}
		own := w.give(u, f)
		if err := own.Capture(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s for reading: %v", path, err)
		}
		if _, err := own.Output(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s for writing: %v", path, err)
		}
	}
}

// TestOutputs are what the daemon writes to and what not.
func TestOutputs(t *testing.T) {
	w := newWorld(t)
	u := w.user("ann")
	open := func(path string, flags int) *foreign.File {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		must(t, err)
		return w.give(u, os.NewFile(uintptr(fd), path))
	}
	for _, path := range []string{"/dev/null", "/dev/zero", "/dev/full"} {
		if _, err := open(path, unix.O_WRONLY).Output(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"/dev/ptmx", "/dev/random", "/dev/kmsg"} {
		if _, err := open(path, unix.O_WRONLY).Output(t.Context()); err == nil || !strings.Contains(err.Error(), "write to a pipe") {
			t.Errorf("%s: %v", path, err)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, nil, 0o600))
	for _, bit := range []uint32{unix.S_ISUID, unix.S_ISGID} {
		must(t, unix.Chmod(path, 0o600|bit))
		if _, err := open(path, unix.O_WRONLY).Output(t.Context()); err == nil || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("mode %#o: %v", bit, err)
		}
	}
	for _, kind := range [][3]int{{unix.AF_UNIX, unix.SOCK_DGRAM, 0}, {unix.AF_INET, unix.SOCK_DGRAM, 0}, {unix.AF_NETLINK, unix.SOCK_RAW, 0}} {
		fd, err := unix.Socket(kind[0], kind[1]|unix.SOCK_CLOEXEC, kind[2])
		must(t, err)
		if _, err := w.give(u, os.NewFile(uintptr(fd), "socket")).Output(t.Context()); err == nil {
			t.Errorf("socket %v is accepted", kind)
		}
	}
}
