package memfile

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFile makes a file, lets it grow, and takes its memory back while it is mapped twice.
func TestFile(t *testing.T) {
	page := os.Getpagesize()
	whole, mem, err := Create("test", page, 4*page, unix.PROT_READ|unix.PROT_WRITE, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	file, err := ReadOnly(whole)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Grow(file, 3*page); err != nil {
		t.Fatal(err)
	}
	for i := range mem[:3*page] {
		mem[i] = 7
	}
	other, err := unix.Mmap(int(file.Fd()), 0, 3*page, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(other)
	if err := TakeBack(mem[page : 2*page]); err != nil {
		t.Fatal(err)
	}
	for i, want := range []byte{7, 0, 7} {
		if got := other[i*page]; got != want {
			t.Errorf("page %d holds %d, want %d", i, got, want)
		}
	}
	if TakeBack(nil) != nil || TakeBack(other) == nil {
		t.Error("nothing cannot be taken back, or a program can take it back")
	}
}

// TestNoProc: without /proc the error names the remedy.
func TestNoProc(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	file, mem, err := Create("test", 1, 1, unix.PROT_READ, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("none", "/proc", "tmpfs", 0, "")
		}
		if err == nil {
			_, err = ReadOnly(file)
		}
		done <- err
	}()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "/proc must be mounted") {
		t.Errorf("the error is %v", err)
	}
}
