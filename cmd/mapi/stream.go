package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// The daemon reads capture files by random access, which pipes do not allow. A
// capture from a pipe is therefore passed on in pieces. Each piece is a capture
// file in memory: the header of the capture and whole packets. So the first
// packets are shown while others still arrive.

const (
	// pieceSize is the maximum size of a piece in bytes, unless one packet is
	// longer.
	pieceSize = 4 << 20
	// maxBlock is the maximum size in bytes of a packet or block, and of the
	// header of a piece. Longer ones are not valid in a capture; the daemon
	// reports them.
	maxBlock = 16 << 20
	// streamPoll is how often the end of the call is checked, in milliseconds.
	streamPoll = 100
)

// A stream is a capture that comes over a pipe.
type stream struct {
	in    *os.File
	buf   []byte // read, but not yet in a piece
	head  []byte // header of each piece
	order binary.ByteOrder
	kind  streamKind
	ended bool // no data follows buf
}

type streamKind int

const (
	unknownStream streamKind = iota // not enough data to tell
	pcapStream
	pcapngStream
	otherStream // compressed or not a capture: one piece, in a file
)

// errNoStream is the end of a stream without data.
var errNoStream = errors.New("the pipe delivered no data")

// isStream reports whether the capture file comes over a pipe.
func isStream(file string) bool {
	return file == "-" || file != "" && modeOf(file)&(os.ModeNamedPipe|os.ModeSocket) != 0
}

// openStream opens a capture that comes over a pipe, "-" for standard input.
func openStream(file string) (*stream, error) {
	if file != "-" {
		f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
		return &stream{in: f}, err
	}
	if _, err := unix.IoctlGetTermios(unix.Stdin, unix.TCGETS); err == nil {
		return nil, usageError{errors.New("-r -: standard input is a terminal, not a capture")}
	}
	return &stream{in: os.Stdin}, nil
}

// piece waits for at least one packet and returns a file with the data so far.
// The caller closes it. At the end it returns io.EOF.
func (s *stream) piece(ctx context.Context) (*os.File, error) {
	first := s.kind == unknownStream
	for {
		n := s.whole()
		switch {
		case s.ended && len(s.buf) == 0 && first:
			return nil, errNoStream
		case s.ended && len(s.buf) == 0:
			return nil, io.EOF
		case s.ended:
			n = len(s.buf) // includes a damaged end; the daemon reports it
		}
		if n > 0 {
			return s.cut(n)
		}
		if s.kind == otherStream {
			return s.spool(ctx)
		}
		if err := s.more(ctx); err != nil {
			return nil, err
		}
	}
}

// cut creates a file from the header and the first n bytes of buf.
func (s *stream) cut(n int) (*os.File, error) {
	fd, err := unix.MemfdCreate("capture", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("allocate memory for a part of the capture: %w", err)
	}
	f := os.NewFile(uintptr(fd), "capture")
	_, err = f.Write(s.head)
	if err == nil {
		_, err = f.Write(s.buf[:n])
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("allocate memory for a part of the capture: %w", err)
	}
	s.keepHead(s.buf[:n])
	s.buf = append(s.buf[:0], s.buf[n:]...)
	return f, nil
}

// more waits for data and reads what is available, up to the size of a piece.
func (s *stream) more(ctx context.Context) error {
	for wait := streamPoll; ; {
		poll := []unix.PollFd{{Fd: int32(s.in.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, wait)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == unix.EINTR, err == nil && n == 0 && wait > 0:
			continue
		case err != nil:
			return fmt.Errorf("wait for the capture: %w", err)
		case n == 0:
			return nil
		}
		if err := s.read(); err != nil || s.ended || len(s.buf) >= pieceSize {
			return err
		}
		wait = 0
	}
}

// read makes one read call.
func (s *stream) read() error {
	const size = 256 << 10
	at := len(s.buf)
	s.buf = append(s.buf, make([]byte, size)...)
	n, err := unix.Read(int(s.in.Fd()), s.buf[at:])
	s.buf = s.buf[:at+max(n, 0)]
	switch {
	case err == unix.EAGAIN, err == unix.EINTR:
		return nil
	case err != nil:
		return fmt.Errorf("read the capture: %w", err)
	}
	s.ended = n == 0
	return nil
}

// whole returns how many bytes at the start of buf consist of whole packets,
// including blocks before them. It returns 0 if there is no whole packet, or if
// the capture must be one piece.
func (s *stream) whole() int {
	if s.kind == unknownStream {
		s.identify()
	}
	switch s.kind {
	case pcapStream:
		return s.wholeRecords()
	case pcapngStream:
		return s.wholeBlocks()
	}
	return 0
}

// Magic numbers of pcap files, in the byte order of the writer, and of pcapng.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	blockSection      = 0x0a0d0d0a
	blockInterface    = 1
	magicByteOrder    = 0x1a2b3c4d

	pcapFileHead   = 24
	pcapRecordHead = 16
	blockHead      = 12 // type, length, and in a section header the byte order
)

// identify detects the format.
func (s *stream) identify() {
	if len(s.buf) < pcapFileHead {
		return
	}
	s.kind = otherStream
	if binary.BigEndian.Uint32(s.buf) == blockSection {
		s.kind = pcapngStream
		return
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := order.Uint32(s.buf); m == magicMicroseconds || m == magicNanoseconds {
			s.kind, s.order = pcapStream, order
		}
	}
}

// wholeRecords returns how many bytes consist of whole pcap records, 0 if none
// is whole.
func (s *stream) wholeRecords() int {
	start := 0
	if len(s.head) == 0 {
		start = pcapFileHead
	}
	end := start
	for len(s.buf)-end >= pcapRecordHead {
		size := pcapRecordHead + int64(s.order.Uint32(s.buf[end+8:]))
		if size > maxBlock {
			return s.damaged(end, start)
		}
		if int64(len(s.buf)-end) < size {
			break
		}
		end += int(size)
	}
	if end == start {
		return 0
	}
	return end
}

// wholeBlocks returns how many bytes consist of whole pcapng blocks with at
// least one packet, 0 if there is none. A section starts a new piece, because
// it does not use the interfaces of the section before.
func (s *stream) wholeBlocks() int {
	end, packets := 0, false
	for len(s.buf)-end >= blockHead {
		block := s.buf[end:]
		section := binary.BigEndian.Uint32(block) == blockSection
		if section && packets {
			break
		}
		if section {
			s.setOrder(block)
		}
		kind, size := s.order.Uint32(block), int64(s.order.Uint32(block[4:]))
		if size > maxBlock || size < blockHead || size%4 != 0 {
			return s.damaged(end, 0)
		}
		if int64(len(block)) < size {
			break
		}
		packets = packets || !section && kind != blockInterface
		end += int(size)
	}
	if !packets {
		return 0
	}
	return end
}

// damaged returns the size of the good data. If there is none, the stream ends
// here and the daemon reports the damage.
func (s *stream) damaged(end, start int) int {
	if end > start {
		return end
	}
	s.ended = true
	return 0
}

// setOrder takes the byte order from a section header.
func (s *stream) setOrder(block []byte) {
	s.order = binary.LittleEndian
	if binary.BigEndian.Uint32(block[8:]) == magicByteOrder {
		s.order = binary.BigEndian
	}
}

// keepHead stores the header for the next piece: of pcap the file header, of
// pcapng the newest section header and its interfaces.
func (s *stream) keepHead(piece []byte) {
	if s.kind == pcapStream && len(s.head) == 0 {
		s.head = bytes.Clone(piece[:min(pcapFileHead, len(piece))])
	}
	if s.kind != pcapngStream {
		return
	}
	for len(piece) >= blockHead && len(s.head) < maxBlock {
		section := binary.BigEndian.Uint32(piece) == blockSection
		if section {
			s.setOrder(piece)
			s.head = s.head[:0]
		}
		size := int64(s.order.Uint32(piece[4:]))
		if size < blockHead || size > int64(len(piece)) {
			return
		}
		if section || s.order.Uint32(piece) == blockInterface {
			s.head = append(s.head, piece[:size]...)
		}
		piece = piece[size:]
	}
}

// maxSpool is the maximum size in bytes of a capture that must be complete
// before it is read.
const maxSpool = 1 << 30

// spool reads a capture to its end into an unnamed file in the temporary
// directory.
func (s *stream) spool(ctx context.Context) (*os.File, error) {
	f, err := os.CreateTemp("", "mapi-capture")
	if err != nil {
		return nil, fmt.Errorf("create a temporary file for the capture: %w", err)
	}
	name := f.Name()
	_ = os.Remove(name)
	if err := s.drain(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// drain writes buf and the rest of the stream to f.
func (s *stream) drain(ctx context.Context, f *os.File) error {
	for size := 0; ; {
		if size += len(s.buf); size > maxSpool {
			return fmt.Errorf("the pipe delivers more than %d bytes: save them to a file first", maxSpool)
		}
		if _, err := f.Write(s.buf); err != nil {
			return err
		}
		s.buf = s.buf[:0]
		switch {
		case s.ended && size == 0:
			return errNoStream
		case s.ended:
			return nil
		}
		if err := s.more(ctx); err != nil {
			return err
		}
	}
}

// pathOf is a path that refers to an open file.
func pathOf(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// withFile calls do with a path to the capture file. It first reads a capture
// from a pipe to its end.
func (t *tool) withFile(ctx context.Context, file string, do func(path string) error) error {
	if !isStream(file) {
		return do(file)
	}
	s, err := openStream(file)
	if err != nil {
		return err
	}
	t.pipe = file
	f, err := s.spool(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(pathOf(f))
}
