package foreigntest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign"
)

// A Hanging is a file system with one file, whose owner answers some calls when it likes.
type Hanging struct {
	Path string // of the file
	data []byte
	dir  string
	dev  *os.File
	done sync.WaitGroup

	mu    sync.Mutex
	hang  []Call
	held  map[Call]int
	began chan struct{} // a call hangs
}

// A Call is a call that can hang: an operation of FUSE (fuse(4), linux/fuse.h).
type Call uint32

// Calls that can hang.
const (
	GetAttr Call = 3
	Read    Call = 15
	Write   Call = 16
	StatFS  Call = 17
	Flush   Call = 25 // close(2)
)

// Other operations that are answered.
const (
	opLookup = 1
	opForget = 2
	opOpen   = 14
	opInit   = 26
	opBatch  = 42
)

// Hang mounts a file system with a file that contains data. The calls hang until the test
// ends or Release. It skips the test if it may not mount.
func Hang(t testing.TB, data []byte, calls ...Call) *Hanging {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	h := &Hanging{
		data: data, dir: t.TempDir(), dev: os.NewFile(uintptr(fd), "fuse"), hang: calls,
		held: make(map[Call]int), began: make(chan struct{}, 1),
	}
	h.Path = filepath.Join(h.dir, "file")
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd)
	if err := unix.Mount("hanging", h.dir, "fuse.hanging", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		h.dev.Close()
		t.Skip(err)
	}
	h.done.Go(h.serve)
	t.Cleanup(h.Release)
	return h
}

// Hang makes more calls hang from now on.
func (h *Hanging) Hang(calls ...Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hang = append(h.hang, calls...)
}

// Release ends the file system: all calls return with errors.
func (h *Hanging) Release() {
	_ = unix.Unmount(h.dir, unix.MNT_FORCE) // aborts what hangs; a second one is refused
	_ = unix.Unmount(h.dir, unix.MNT_DETACH)
	h.done.Wait()
	h.dev.Close()
}

// Await waits until n calls of a kind hang.
func (h *Hanging) Await(t testing.TB, c Call, n int) {
	t.Helper()
	for {
		h.mu.Lock()
		now := h.held[c]
		h.mu.Unlock()
		if now >= n {
			return
		}
		select {
		case <-h.began:
		case <-t.Context().Done():
			t.Fatalf("%d calls %d hang, want %d", now, c, n)
		}
	}
}

// Held returns how many calls of a kind hang.
func (h *Hanging) Held(c Call) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[c]
}

// Give opens the file and gives it to a user.
func (h *Hanging) Give(t testing.TB, u *foreign.User, flags int) *foreign.File {
	t.Helper()
	fd, err := unix.Open(h.Path, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return give(t, u, fd, h.Path)
}

// serve answers requests until the file system is unmounted.
func (h *Hanging) serve() {
	buf := make([]byte, 1<<20+4096)
	for {
		n, err := unix.Read(int(h.dev.Fd()), buf)
		switch {
		case err == unix.EINTR || err == unix.ENOENT || err == unix.EAGAIN:
			continue
		case err != nil:
			return // ENODEV: unmounted
		}
		h.answer(buf[:n])
	}
}

// answer answers a request, or lets it hang.
func (h *Hanging) answer(req []byte) {
	const headSize = 40
	op, id, body := binary.NativeEndian.Uint32(req[4:]), binary.NativeEndian.Uint64(req[8:]), req[headSize:]
	h.mu.Lock()
	hangs := slices.Contains(h.hang, Call(op))
	if hangs {
		h.held[Call(op)]++
	}
	h.mu.Unlock()
	if hangs {
		select {
		case h.began <- struct{}{}:
		default:
		}
		return
	}
	out, errno := []byte(nil), unix.Errno(0)
	switch op {
	case opForget, opBatch:
		return
	case opInit:
		out = words(7, 31, 1<<16, 0, 12<<16|9, 1<<17, 1, 0) // version; read-ahead, flags; background; largest write, granularity
		out = append(out, make([]byte, 64-len(out))...)
	case opLookup:
		out = append(words(2, 0, 1, 0, 1<<20, 0, 0, 0, 0, 0), h.attributes(2)...)
	case uint32(GetAttr):
		out = append(words(0, 0, 0, 0), h.attributes(binary.NativeEndian.Uint64(req[16:]))...)
	case opOpen:
		out = words(1, 0, 1|2, 0) // without a page cache, which calls would wait for
	case uint32(Read):
		at := min(binary.NativeEndian.Uint64(body[8:]), uint64(len(h.data)))
		out = h.data[at:min(at+uint64(binary.NativeEndian.Uint32(body[16:])), uint64(len(h.data)))]
	case uint32(Write):
		out = words(binary.NativeEndian.Uint32(body[16:]), 0)
	case uint32(StatFS):
		out = make([]byte, 80)
	case uint32(Flush), 18: // release
	default:
		errno = unix.ENOSYS
	}
	h.reply(id, errno, out)
}

// attributes are those of the folder, node 1, or of the file.
func (h *Hanging) attributes(node uint64) []byte {
	mode, size := uint32(unix.S_IFREG|0o666), uint32(len(h.data))
	if node == 1 {
		mode, size = unix.S_IFDIR|0o755, 0
	}
	return words(uint32(node), 0, size, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)
}

func (h *Hanging) reply(id uint64, errno unix.Errno, out []byte) {
	msg := words(uint32(16+len(out)), uint32(-int32(errno)), uint32(id), uint32(id>>32))
	_, _ = unix.Write(int(h.dev.Fd()), append(msg, out...)) // the caller may be gone
}

func words(list ...uint32) (b []byte) {
	for _, w := range list {
		b = binary.NativeEndian.AppendUint32(b, w)
	}
	return b
}
