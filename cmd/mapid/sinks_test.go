package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
)

func TestFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapi.info")
	for _, line := range []string{"a\n", "b\n"} {
		if err := (fileSink{path}).write(logrus.InfoLevel, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if text, _ := os.ReadFile(path); string(text) != "a\nb\n" {
		t.Errorf("content %q", text)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := (fileSink{link}).write(logrus.InfoLevel, []byte("c\n")); !errors.Is(err, unix.ELOOP) {
		t.Errorf("through a link: %v", err)
	}
}

// TestFileLock holds the record lock like another program. Meanwhile the logger
// must accept messages, but must not write them.
func TestFileLock(t *testing.T) {
	base := filepath.Join(t.TempDir(), "mapi")
	f, err := os.Create(base + ".info")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// Open file description locks conflict with process locks (fcntl(2)).
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	l := newLogger(logSetup{base: base})
	for i := range 3 {
		l.Infof("message %d", i)
	}
	awaitWaiter(t, f)
	if st, _ := f.Stat(); st.Size() != 0 {
		t.Error("written without the lock")
	}
	lock.Type = unix.F_UNLCK
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	l.Close()
	text, _ := os.ReadFile(base + ".info")
	if n := strings.Count(string(text), "message"); n != 3 {
		t.Errorf("%d messages: %q", n, text)
	}
}

// awaitWaiter waits until the kernel lists a waiter for a lock on f: a line
// with "->" in proc_locks(5).
func awaitWaiter(t *testing.T, f *os.File) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	inode := fmt.Sprintf(":%d ", st.Ino)
	testenv.Until(t, "somebody waits for the lock", func() bool {
		locks, err := os.Open("/proc/locks")
		if err != nil {
			t.Skipf("needs /proc/locks to see who waits: %v", err)
		}
		lines := bufio.NewScanner(locks)
		found := false
		for lines.Scan() {
			found = found || strings.Contains(lines.Text(), "->") && strings.Contains(lines.Text(), inode)
		}
		locks.Close()
		return found
	})
}

// TestFullDisk fills a real file system and frees it again. Each message must
// be in the file, whole, or be counted there as lost.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("needs CAP_SYS_ADMIN to mount a small file system: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	hog := filepath.Join(dir, "hog")
	if err := os.WriteFile(hog, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLogger(logSetup{base: filepath.Join(dir, "mapi")})
	const sent = 10
	for range sent {
		l.Info(longMessage)
	}
	books := func() (written, lost int) {
		return tally(t, readLocked(t, filepath.Join(dir, "mapi.info")))
	}
	testenv.Until(t, "each message is written, or counted as lost", func() bool {
		unsaid := int(l.outlets[0].lost.Load())
		written, lost := books()
		return unsaid > 0 && written+lost+unsaid == sent
	})
	if err := os.Remove(hog); err != nil {
		t.Fatal(err)
	}
	l.Info(longMessage)
	l.Close()
	if written, lost := books(); lost == 0 || written+lost != sent+1 {
		t.Errorf("%d written and %d lost of %d", written, lost, sent+1)
	}
}

// readLocked reads a log file while nobody writes to it.
func readLocked(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return ""
	} else if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLKW, &unix.Flock_t{Type: unix.F_RDLCK}); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var longMessage = strings.Repeat("x", 2000)

// tally counts messages, and the losses according to the notices between
// them. No line may be partial.
func tally(t *testing.T, text string) (written, lost int) {
	t.Helper()
	for line := range strings.Lines(stamp.ReplaceAllString(text, "")) {
		n := 0
		if _, err := fmt.Sscanf(line, "warning: %d messages were lost: they could not be written\n", &n); err == nil {
			lost += n
		} else if line == longMessage+"\n" {
			written++
		} else {
			t.Fatalf("torn line of %d bytes", len(line))
		}
	}
	return written, lost
}

// fragile is a sink that fails or hangs on demand.
type fragile struct {
	gate  chan error // one value for each write
	lines []string
}

func (f *fragile) write(_ logrus.Level, line []byte) error {
	err := <-f.gate
	if err == nil {
		f.lines = append(f.lines, string(line))
	}
	return err
}

// TestLost checks that each message is either written or counted as lost, and
// that the number is logged once.
func TestLost(t *testing.T) {
	f := &fragile{gate: make(chan error)}
	l := &logger{Logger: newLogger(logSetup{}).Logger}
	l.add("fragile", f, lineFormatter{}, infoLevels)
	l.Info("first")
	f.gate <- nil
	l.Info("dropped")
	f.gate <- errors.New("disk full")
	l.Info("dropped too")
	f.gate <- errors.New("disk full") // the notice of losses
	l.Info("second")
	f.gate <- nil // the notice of losses
	f.gate <- nil
	l.Info("third")
	f.gate <- nil
	l.Close()
	want := "first\nwarning: 2 messages were lost: they could not be written\nsecond\nthird\n"
	if got := strings.Join(f.lines, ""); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHang has a sink that hangs while the queue overflows.
func TestHang(t *testing.T) {
	f := &fragile{gate: make(chan error)}
	l := &logger{Logger: newLogger(logSetup{}).Logger}
	l.add("fragile", f, lineFormatter{}, infoLevels)
	const sent = queueLength + 100
	for range sent {
		l.Info(longMessage) // must return although nobody writes
	}
	close(f.gate)
	l.Close()
	written, lost := tally(t, strings.Join(f.lines, ""))
	if lost == 0 || written+lost != sent {
		t.Errorf("%d written and %d lost of %d", written, lost, sent)
	}
}

// TestUsersLeaveRoom has a sink that hangs: what users cause does not displace what the daemon says.
func TestUsersLeaveRoom(t *testing.T) {
	f := &fragile{gate: make(chan error)}
	l := &logger{Logger: newLogger(logSetup{}).Logger}
	l.add("fragile", f, lineFormatter{}, infoLevels)
	for range 2 * queueLength {
		l.WithField("uid", uint32(7)).Warn("a user's")
	}
	for range userLength {
		l.Warn("the daemon's")
	}
	close(f.gate)
	l.Close()
	if n := strings.Count(strings.Join(f.lines, ""), "the daemon's"); n < userLength-1 { // the goroutine may have taken none
		t.Errorf("%d lines of the daemon are written, want %d", n, userLength)
	}
}

// TestSyslogReturns stops the log daemon and starts it again.
func TestSyslogReturns(t *testing.T) {
	s := &syslogSink{}
	first := syslogd(t, s)
	addr := s.addr
	if err := s.write(logrus.InfoLevel, []byte("one\n")); err != nil || first() != "142:one" {
		t.Fatal(err)
	}
	if err := os.Remove(addr); err != nil {
		t.Fatal(err)
	}
	s.addr = addr + ".gone"
	_ = s.w.Close()
	s.w = nil
	if err := s.write(logrus.InfoLevel, []byte("two\n")); err == nil {
		t.Error("written to a log daemon that is gone")
	}
	second := syslogd(t, s)
	if err := s.write(logrus.WarnLevel, []byte("three\n")); err != nil || second() != "140:three" {
		t.Error(err)
	}
}

// TestHangAtEnd has sinks that hang forever. The daemon must end nevertheless,
// with one wait for all sinks: a wait for each would exceed the limit of the
// test.
func TestHangAtEnd(t *testing.T) {
	gates := make([]chan error, 2*testenv.Patience/closeWait)
	l := &logger{Logger: newLogger(logSetup{}).Logger}
	for i := range gates {
		gates[i] = make(chan error)
		l.add("fragile", &fragile{gate: gates[i]}, lineFormatter{}, infoLevels)
	}
	l.Info("stuck")
	testenv.Within(t, "closing", l.Close)
	for i, gate := range gates {
		gate <- nil
		<-l.outlets[i].done
	}
}

// TestFirstFailure checks that the first failure of each destination is shown,
// once.
func TestFirstFailure(t *testing.T) {
	var stderr bytes.Buffer
	base := filepath.Join(t.TempDir(), "missing", "mapi")
	l := newLogger(logSetup{base: base, level: 2, stderr: &stderr})
	for range 3 {
		l.Info("information")
		l.Debug("debug")
	}
	l.Close()
	for _, path := range []string{base + ".info", base + ".debug"} {
		want := fmt.Sprintf("mapid: messages for %s are lost: open %[1]s: no such file or directory\n", path)
		if strings.Count(stderr.String(), want) != 1 {
			t.Errorf("%s: %q", path, &stderr)
		}
	}
	if n := strings.Count(stderr.String(), "\n"); n != 2 {
		t.Errorf("%d lines on stderr: %q", n, &stderr)
	}
}
