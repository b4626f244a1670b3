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

// The daemon reads capture files at any place, which pipes do not allow. So a capture that
// comes over a pipe is handed over in pieces, each a capture file in memory: whole packets
// behind the head of the capture. The first packets are seen while the others come.

const (
	// pieceSize is how many bytes are handed over at once when more are there.
	pieceSize = 4 << 20
	// maxBlock bounds a packet or block, and all that stands before each piece, in bytes.
	// Longer ones make no capture; the daemon tells.
	maxBlock = 16 << 20
	// streamPoll is how often it is looked whether the call has ended, in milliseconds.
	streamPoll = 100
)

// A stream is a capture that comes over a pipe.
type stream struct {
	in    *os.File
	buf   []byte // that was read and is in no piece yet
	head  []byte // what stands before each piece
	order binary.ByteOrder
	kind  streamKind
	ended bool // nothing follows buf
}

type streamKind int

const (
	unknownStream streamKind = iota // too little was read to tell
	pcapStream
	pcapngStream
	otherStream // compressed or no capture: one piece, in a file
)

// errNoStream is the end of a stream in which there was nothing.
var errNoStream = errors.New("nothing came over the pipe")

// isStream reports whether the capture file of that name comes over a pipe.
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
		return nil, usageError{errors.New("-r -: standard input is a terminal, and no capture")}
	}
	return &stream{in: os.Stdin}, nil
}

// piece returns a file with what has come, waiting for one packet at least. The caller
// closes it. The error is io.EOF at the end.
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
			n = len(s.buf) // with an end that is damaged: the daemon tells
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

// cut makes a file of the head and the first n bytes that were read.
func (s *stream) cut(n int) (*os.File, error) {
	fd, err := unix.MemfdCreate("capture", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for a part of the capture: %w", err)
	}
	f := os.NewFile(uintptr(fd), "capture")
	_, err = f.Write(s.head)
	if err == nil {
		_, err = f.Write(s.buf[:n])
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("memory for a part of the capture: %w", err)
	}
	s.keepHead(s.buf[:n])
	s.buf = append(s.buf[:0], s.buf[n:]...)
	return f, nil
}

// more reads what is there, up to the size of a piece, and waits for the first of it.
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

// read reads once.
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

// whole returns how many bytes at the start of buf are whole packets with what stands before
// them; 0 when there is no whole packet, or when all is to be one piece.
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

// Magic numbers of pcap files, in the order of the bytes that the writer has, and of pcapng.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	blockSection      = 0x0a0d0d0a
	blockInterface    = 1
	magicByteOrder    = 0x1a2b3c4d

	pcapFileHead   = 24
	pcapRecordHead = 16
	blockHead      = 12 // type, length, and of a section the order of bytes
)

// identify finds out what comes.
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

// wholeRecords returns how many bytes are whole records of pcap, 0 when none is.
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

// wholeBlocks returns how many bytes are whole blocks of pcapng with a packet among them, 0
// when none is. A section begins a piece, as no interface of the one before is in it.
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

// damaged hands over what is good; what follows is the end of the stream. The daemon tells
// what is wrong with it.
func (s *stream) damaged(end, start int) int {
	if end > start {
		return end
	}
	s.ended = true
	return 0
}

// setOrder takes the order of bytes from the head of a section.
func (s *stream) setOrder(block []byte) {
	s.order = binary.LittleEndian
	if binary.BigEndian.Uint32(block[8:]) == magicByteOrder {
		s.order = binary.BigEndian
	}
}

// keepHead remembers what stands before the next piece: the head of a pcap file; the newest
// section of pcapng and its interfaces.
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

// maxSpool bounds a capture that must be whole before it is read, in bytes.
const maxSpool = 1 << 30

// spool reads a capture to its end into a file without a name in the folder for such files.
func (s *stream) spool(ctx context.Context) (*os.File, error) {
	f, err := os.CreateTemp("", "mapi-capture")
	if err != nil {
		return nil, fmt.Errorf("a place for the capture: %w", err)
	}
	name := f.Name()
	_ = os.Remove(name)
	if err := s.drain(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// drain writes all that was read, and comes, to f.
func (s *stream) drain(ctx context.Context, f *os.File) error {
	for size := 0; ; {
		if size += len(s.buf); size > maxSpool {
			return fmt.Errorf("more than %d bytes come over the pipe: save them to a file first", maxSpool)
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

// pathOf is a path that leads to an open file.
func pathOf(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// withFile calls do with a path to the capture file of that name, which may come over a
// pipe: then it is read to its end before.
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
