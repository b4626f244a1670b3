package ring

import (
	"context"
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

const patience = testenv.Patience

// bounded returns a context that ends a hanging test.
func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func packets(t testing.TB, size int) *Writer {
	t.Helper()
	w, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// received returns the files of w as they arrive at a client, over a real socket.
func received(t testing.TB, w *Writer) []*os.File {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	var fds []int
	for _, f := range w.Files() {
		fds = append(fds, int(f.Fd()))
	}
	if err := unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fds...), nil, 0); err != nil {
		t.Fatal(err)
	}
	w.CloseFiles()
	var data [1]byte
	oob := make([]byte, unix.CmsgSpace(4*len(fds)))
	_, n, _, _, err := unix.Recvmsg(pair[1], data[:], oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		t.Fatal(err)
	}
	got, err := unix.ParseUnixRights(&msgs[0])
	if err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for _, fd := range got {
		files = append(files, os.NewFile(uintptr(fd), "received"))
	}
	return files
}

// pair makes both sides of a ring.
func pair(t testing.TB, size int) (*Writer, *Reader) {
	t.Helper()
	w := packets(t, size)
	r, err := Open(received(t, w)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return w, r
}

// numbered returns a packet with its number in all its fields.
func numbered(n uint64, length int) *pkt.Packet {
	p := &pkt.Packet{TS: n, IfIndex: uint16(n), Wire: uint32(n), Link: make([]byte, length)}
	number(p, n)
	return p
}

// number gives p another number.
func number(p *pkt.Packet, n uint64) {
	p.TS, p.IfIndex, p.Wire = n, uint16(n), uint32(n)
	for i := range p.Link {
		p.Link[i] = byte(n) + byte(i)
	}
}

// checkNumbered fails the test unless p is numbered(n, length). Any goroutine may call
// it.
func checkNumbered(t testing.TB, p Packet, n uint64, length int) {
	t.Helper()
	if p.TS != n || p.IfIndex != uint16(n) || p.Wlen != uint32(n) || len(p.Data) != length {
		t.Errorf("got ts %d, interface %d, wire %d, %d bytes; want packet %d of %d bytes", p.TS, p.IfIndex, p.Wlen, len(p.Data), n, length)
		return
	}
	for i, b := range p.Data {
		if b != byte(n)+byte(i) {
			t.Errorf("packet %d: byte %d is %#x, want %#x", n, i, b, byte(n)+byte(i))
			return
		}
	}
}

// mustNext reads the packet that must be available.
func mustNext(t testing.TB, r *Reader, n uint64, length int) Packet {
	t.Helper()
	p, ok, err := r.TryNext()
	if !ok || err != nil {
		t.Fatalf("packet %d: got %v, %v", n, ok, err)
	}
	checkNumbered(t, p, n, length)
	return p
}

// mustBeEmpty checks that no packet is available, and why.
func mustBeEmpty(t testing.TB, r *Reader, why error) {
	t.Helper()
	if p, ok, err := r.TryNext(); ok || err != why {
		t.Fatalf("got %v, %v, %d bytes; want none and %v", ok, err, len(p.Data), why)
	}
}

// lengthFor returns the captured length of a record of size bytes.
func lengthFor(size int) int { return size - recordData }

// word loads a word of memory as another program would.
func word(mem []byte, off int) uint64 { return binary.NativeEndian.Uint64(mem[off:]) }

// spin waits for a condition that another goroutine causes.
func spin(t testing.TB, what string, cond func() bool) {
	t.Helper()
	testenv.Until(t, what, cond)
}

// duplicates returns the same open files under other numbers.
func duplicates(t testing.TB, files []*os.File) (list []*os.File) {
	t.Helper()
	for _, f := range files {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, os.NewFile(uintptr(fd), f.Name()))
	}
	return list
}
