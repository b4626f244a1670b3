package leak

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { Main(m) }

func TestSnapshotSeesOpenFile(t *testing.T) {
	before := held(t)
	f, err := os.CreateTemp(t.TempDir(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	left := held(t).beyond(before)
	if len(left) != 1 || !strings.Contains(left[0], f.Name()) {
		t.Errorf("with one file open: %q", left)
	}
	f.Close()
	if err := Since(before); err != nil {
		t.Error(err)
	}
}

func TestSnapshotSeesMapping(t *testing.T) {
	before := held(t)
	fd, err := unix.MemfdCreate("kept", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, 4096); err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	left := held(t).beyond(before)
	if len(left) != 1 || !strings.Contains(left[0], "/memfd:kept") {
		t.Errorf("with one mapping: %q", left)
	}
	if err := unix.Munmap(mem); err != nil {
		t.Fatal(err)
	}
	if err := Since(before); err != nil {
		t.Error(err)
	}
}

func held(t *testing.T) Snapshot {
	t.Helper()
	s, err := Held()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
