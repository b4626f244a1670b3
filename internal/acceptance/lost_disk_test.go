package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// disk is an ext4 file system on a loop device, mounted nowhere.
type disk struct{ root int }

// newDisk creates a file system. It ends when its last file is closed.
func newDisk(t *testing.T) *disk {
	t.Helper()
	needs(t, "mkfs.ext4")
	needs(t, "losetup")
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 64<<20); err != nil {
		t.Fatal(err)
	}
	output(t, "mkfs.ext4", "-q", image)
	out, err := exec.Command("losetup", "--find", "--show", image).Output()
	if err != nil {
		t.Skipf("no loop device: %v", err)
	}
	loop := strings.TrimSpace(string(out))
	defer output(t, "losetup", "--detach", loop) // takes effect when the file system is gone
	root, err := mount(loop)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(root) })
	return &disk{root}
}

// mount returns a file system that has no path (fsopen(2), fsmount(2)).
func mount(device string) (root int, err error) {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", device); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}

func (d *disk) create(t *testing.T, name string) *os.File {
	t.Helper()
	fd, err := unix.Openat(d.root, name, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { f.Close() })
	return f
}

// breakDown makes all operations on the file system fail from now on, like a
// removed device (FS_IOC_SHUTDOWN, include/uapi/linux/fs.h).
func (d *disk) breakDown(t *testing.T) {
	t.Helper()
	const shutdown, withoutFlush = 0x8004587d, 2
	dot, err := unix.Openat(d.root, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dot)
	if err := unix.IoctlSetPointerInt(dot, shutdown, withoutFlush); err != nil {
		t.Fatal(err)
	}
}

// liveSave is a live flow that writes to a file and counts the packets after
// it.
func liveSave(t *testing.T, c *mapi.Client, file any, limit int) *save {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	s := &save{flow: f}
	fn, err := f.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, file, limit)
	if err != nil {
		t.Fatal(err)
	}
	s.files = append(s.files, fn)
	if s.packets, err = f.Apply(t.Context(), "PKT_COUNTER"); err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDiskThatGoesAway removes the disk of one of three files, between packets.
func TestDiskThatGoesAway(t *testing.T) {
	needs(t, "tcpdump")
	testnet.Run(t, func(ns *testnet.NS) {
		const before, all = 500, 2000
		d, broken := start(t), newDisk(t)
		c, dir := d.client(), t.TempDir()
		beside, other := filepath.Join(dir, "beside.pcap"), filepath.Join(dir, "other.pcap")
		file := broken.create(t, "lost.pcap")
		lost := liveSave(t, c, file, 0)
		good := []*save{liveSave(t, c, beside, all), liveSave(t, d.client(), other, all)}

		sender := ns.Sender(testnet.A)
		send := func(from, to uint64) {
			t.Helper()
			for i := from; i < to; i++ {
				if err := sender.Send(testnet.UDP(i, 400)); err != nil {
					t.Fatal(err)
				}
			}
		}
		send(0, before)
		awaitSize(t, file, 24+before*(16+400))
		broken.breakDown(t)
		send(before, all)

		becomes(t, lost.files[0], result.FileFailed)
		reaches(t, "packets behind the lost file", lost.packets, all)
		for _, s := range good {
			becomes(t, s.files[0], result.FileDone)
			reaches(t, "packets of another flow", s.packets, all)
		}
		for _, path := range []string{beside, other} {
			if n := countWithTcpdump(t, path, "udp"); n != all {
				t.Errorf("%s holds %d packets, want %d", filepath.Base(path), n, all)
			}
		}
		balanced(t, c, testnet.B)
		closes(t, lost.flow)
		if err := d.stop(unix.SIGTERM); err != nil {
			t.Errorf("mapid: %v", err)
		}
		if !strings.Contains(d.stderr.String(), unix.EIO.Error()) {
			t.Errorf("the log lacks the error:\n%s", d.stderr.String())
		}
	})
}

// awaitSize waits until a file has a size. No event announces it.
func awaitSize(t *testing.T, f *os.File, want int64) {
	t.Helper()
	testenv.Until(t, fmt.Sprintf("the file has %d bytes", want), func() bool {
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return st.Size() == want
	})
}
