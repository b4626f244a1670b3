package outfile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign"
	"gomapi/internal/foreign/foreigntest"
)

// open opens f until the end of the test.
func open(t *testing.T, f *os.File) *File {
	t.Helper()
	o, err := Open(t.Context(), foreigntest.Own(t, f), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// fromPair converts a pair of descriptors to files.
func fromPair(t *testing.T, fds [2]int, err error) (a, b *os.File) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// pipe creates a blocking pipe, like a shell.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	err := unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fromPair(t, fds, err)
}

// fifo creates a named pipe, opened for appending like ">>" in a shell.
func fifo(t *testing.T) (r, w *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := os.OpenFile(path, os.O_RDWR, 0) // opening one end would wait for the other
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	reader, errR := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	writer, errW := unix.Open(path, unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
	return fromPair(t, [2]int{reader, writer}, errors.Join(errR, errW))
}

func sockets(t *testing.T, kind int) (r, w *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	return fromPair(t, fds, err)
}

// streams are the kinds of files that another process may read too slowly.
var streams = []struct {
	name string
	make func(*testing.T) (r, w *os.File)
}{
	{"pipe", pipe},
	{"pipe opened to append", fifo},
	{"socket", func(t *testing.T) (*os.File, *os.File) { return sockets(t, unix.SOCK_STREAM) }},
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// TestStreamsCarryEveryByte sends more than fits to a reader that reads in odd
// sizes.
func TestStreamsCarryEveryByte(t *testing.T) {
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			r, w := s.make(t)
			o := open(t, w)
			want := random(3 << 20)
			got := make(chan []byte)
			go func() {
				var all []byte
				for piece := make([]byte, 7919); len(all) < len(want); {
					n, err := r.Read(piece)
					all = append(all, piece[:n]...)
					if err != nil {
						break
					}
				}
				got <- all
			}()
			for rest := want; len(rest) > 0; {
				n, err := o.Write(rest[:min(len(rest), 100000)])
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if !bytes.Equal(<-got, want) {
				t.Error("the reader received other bytes")
			}
		})
	}
}

// TestStopEndsTheWaitForAReader fills streams without a reader. The bytes
// reported as written arrive, no others, and the flags are unchanged.
func TestStopEndsTheWaitForAReader(t *testing.T) {
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			r, w := s.make(t)
			o := open(t, w)
			data := random(8 << 20)
			end := make(chan int)
			go func() {
				written := 0
				for {
					n, err := o.Write(data[written:])
					written += n
					if err != nil {
						if !errors.Is(err, ErrStopped) {
							t.Errorf("Write ends with %v", err)
						}
						end <- written
						return
					}
				}
			}()
			o.Stop()
			written := <-end
			flags := 0
			err := o.file.Use(func(fd int) (err error) {
				flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
				return err
			})
			if err != nil || flags&unix.O_NONBLOCK != 0 {
				t.Errorf("flags are %#x, %v", flags, err)
			}
			o.Close()
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data[:written]) {
				t.Errorf("%d bytes arrived of %d written, %v", len(got), written, err)
			}
		})
	}
}

func TestReaderThatGoes(t *testing.T) {
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			r, w := s.make(t)
			o := open(t, w)
			data := random(1 << 20)
			end := make(chan error)
			go func() {
				for {
					if _, err := o.Write(data); err != nil {
						end <- err
						return
					}
				}
			}()
			if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			r.Close()
			if err := <-end; !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
				t.Errorf("Write ends with %v", err)
			}
		})
	}
}

func TestFullDevice(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	if _, err := open(t, f).Write([]byte("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Write gives %v", err)
	}
}

func TestRefusesWhatIsNoStreamToWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, datagrams := sockets(t, unix.SOCK_DGRAM)
	files := map[string]*os.File{"datagram socket": datagrams}
	for what, flags := range map[string]int{"read only": unix.O_RDONLY, "path only": unix.O_PATH} {
		f, err := os.OpenFile(path, flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[what] = f
	}
	for what, f := range files {
		own := foreigntest.Own(t, f)
		if _, err := Open(t.Context(), own, 0); err == nil {
			t.Errorf("%s: opened", what)
		} else {
			t.Log(err)
		}
	}
}

// TestSocketsTellTheClient: the peer of a local socket that asks who writes is told the client.
func TestSocketsTellTheClient(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to write for another user")
	}
	r, w := sockets(t, unix.SOCK_STREAM)
	fd, err := unix.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	own, err := foreigntest.User(t).Open(foreign.Descriptor(fd), "socket", foreign.Rights{UID: 54321, GID: 54322})
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(int(r.Fd()), unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		t.Fatal(err)
	}
	o, err := Open(t.Context(), own, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Write([]byte("data")); err != nil {
		t.Fatal(err)
	}
	data, oob := make([]byte, 10), make([]byte, 100)
	n, oobn, _, _, err := unix.Recvmsg(int(r.Fd()), data, oob, 0)
	if err != nil || string(data[:n]) != "data" {
		t.Fatalf("%q, %v", data[:n], err)
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(msgs) != 1 {
		t.Fatalf("%v, %v", msgs, err)
	}
	if c, err := unix.ParseUnixCredentials(&msgs[0]); err != nil || c.Uid != 54321 || c.Gid != 54322 {
		t.Errorf("the writer is %+v, %v", c, err)
	}
}
