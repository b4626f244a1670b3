package foreign_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign"
	"gomapi/internal/foreign/foreigntest"
)

// client has no rights of its own.
var client = foreign.Rights{UID: 54321, GID: 54321}

// asRoot skips the test without rights that a client has not.
func asRoot(t testing.TB) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// fileOf opens a file for writing for the client.
func fileOf(t testing.TB, path string, flags int) *foreign.File {
	t.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	f, err := foreigntest.User(t).Open(foreign.Descriptor(fd), path, client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// TestWritesHaveTheRightsOfTheClient asks, in the middle of a write, for the rights of the
// thread, and compares them with those before and after.
func TestWritesHaveTheRightsOfTheClient(t *testing.T) {
	asRoot(t)
	f := fileOf(t, filepath.Join(t.TempDir(), "file"), unix.O_WRONLY|unix.O_CREAT)
	see := func() (uid, gid int, caps uint32) {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		must(t, unix.Capget(&header, &data[0]))
		uid, _ = unix.SetfsuidRetUid(-1)
		gid, _ = unix.SetfsgidRetGid(-1)
		return uid, gid, data[0].Effective | data[1].Effective
	}
	for range 100 {
		began, err := f.Write(nil, true, func(fd int) error {
			if uid, gid, caps := see(); uid != int(client.UID) || gid != int(client.GID) || caps != 0 {
				t.Errorf("user %d, group %d, capabilities %#x within a write", uid, gid, caps)
			}
			if real := unix.Getuid(); real != 0 {
				t.Errorf("the real user is %d: the client could signal the daemon", real)
			}
			_, err := unix.Write(fd, []byte("x"))
			return err
		})
		if !began || err != nil {
			t.Fatalf("%v, %v", began, err)
		}
		if uid, gid, caps := see(); uid != 0 || gid != 0 || caps == 0 {
			t.Fatalf("user %d, group %d, capabilities %#x after a write", uid, gid, caps)
		}
	}
}

// TestWritesClearSetUserID writes to a file that got the bit after it was opened: the kernel clears it, as it
// does for the client, but not for root.
func TestWritesClearSetUserID(t *testing.T) {
	asRoot(t)
	path := filepath.Join(t.TempDir(), "file")
	f := fileOf(t, path, unix.O_WRONLY|unix.O_CREAT)
	for asClient, left := range map[bool]uint32{true: 0, false: unix.S_ISUID} {
		must(t, unix.Chmod(path, 0o755|unix.S_ISUID))
		_, err := f.Write(nil, asClient, func(fd int) error {
			_, err := unix.Write(fd, []byte("x"))
			return err
		})
		must(t, err)
		var st unix.Stat_t
		must(t, unix.Stat(path, &st))
		if st.Mode&unix.S_ISUID != left {
			t.Errorf("as the client %v: mode %#o", asClient, st.Mode)
		}
	}
}

// TestReservedBlocks fills a file system of which blocks are reserved for root. The client does
// not get them.
func TestReservedBlocks(t *testing.T) {
	asRoot(t)
	dir := mountExt4(t)
	f := fileOf(t, filepath.Join(dir, "file"), unix.O_WRONLY|unix.O_CREAT)
	fill := func(asClient bool) (blocks int) {
		for {
			_, err := f.Write(nil, asClient, func(fd int) error {
				_, err := unix.Write(fd, make([]byte, 4096))
				return err
			})
			if errors.Is(err, unix.ENOSPC) {
				return blocks
			}
			must(t, err)
			blocks++
		}
	}
	if n := fill(true); n == 0 {
		t.Error("the client gets nothing")
	}
	if n := fill(false); n == 0 {
		t.Error("nothing was left for root")
	}
}

// BenchmarkWrite writes 256 KiB, as much as is written at once, with and without the rights of a
// client.
func BenchmarkWrite(b *testing.B) {
	asRoot(b)
	for name, asClient := range map[string]bool{"daemon": false, "client": true} {
		b.Run(name, func(b *testing.B) {
			f := fileOf(b, filepath.Join(b.TempDir(), "file"), unix.O_WRONLY|unix.O_CREAT)
			data := make([]byte, 256<<10)
			write := func(fd int) error { _, err := unix.Pwrite(fd, data, 0); return err }
			for b.Loop() {
				if _, err := f.Write(nil, asClient, write); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
