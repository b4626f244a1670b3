package ring

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// memoryFile returns a sealed file like a daemon's, with the given content.
func memoryFile(t *testing.T, size int64, seals int, content []byte) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, content, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "test")
}

// TestOpenRefuses passes every kind of wrong file to Open, and checks the error.
func TestOpenRefuses(t *testing.T) {
	good := []byte("MAPIRNG1\x00\x00\x01\x00\x00\x00\x00\x00")
	const size = headSize + MinCapacity
	null := func() *os.File {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		name string
		at   int
		file *os.File
		want string
	}{
		{"no seals", 0, memoryFile(t, size, 0, good), "not sealed"},
		{"can grow", 0, memoryFile(t, size, unix.F_SEAL_SHRINK, good), "not sealed"},
		{"no memory file", 0, null(), "seals of the packet memory"},
		{"empty", 0, memoryFile(t, 0, fixedSize, nil), "0 bytes"},
		{"short", 0, memoryFile(t, size-8, fixedSize, good), "69624 bytes"},
		{"long", 0, memoryFile(t, headSize+2*MaxCapacity, fixedSize, good), "536875008 bytes"},
		{"no power of two", 0, memoryFile(t, size+headSize, fixedSize, good), "has 69632"},
		{"other capacity", 0, memoryFile(t, headSize+2*MinCapacity, fixedSize, good), "has 131072"},
		{"no magic", 0, memoryFile(t, size, fixedSize, good[1:]), "begins with"},
		{"page unsealed", 1, memoryFile(t, pageSize, 0, nil), "reader page is not sealed"},
		{"page short", 1, memoryFile(t, 64, fixedSize, nil), "64 bytes"},
		{"page sealed against writing", 1, memoryFile(t, pageSize, fixedSize|unix.F_SEAL_WRITE, nil), "map the reader page"},
		{"no socket", 2, null(), "socket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := received(t, packets(t, 0))
			files[c.at].Close()
			files[c.at] = c.file
			if _, err := Open(files...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open gives %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Open(received(t, packets(t, 0))[:2]...); err == nil {
		t.Error("two files were accepted")
	}
}

func TestOpenRefusesAnotherSocket(t *testing.T) {
	files := received(t, packets(t, 0))
	files[2].Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	files[2] = os.NewFile(uintptr(fd), "tcp")
	if _, err := Open(files...); err == nil {
		t.Error("a TCP socket was accepted")
	}
}

func TestUnopenedRingLeavesNothing(t *testing.T) {
	w, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Files()) != 3 {
		t.Errorf("%d files", len(w.Files()))
	}
	w.Write(numbered(1, 60))
	w.Close()
	if len(w.Files()) != 0 {
		t.Error("files are left")
	}
}
