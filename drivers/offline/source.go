package offline

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// positioned reads a file at an explicit position, so that it does not affect
// the file's offset, which others may share.
type positioned struct {
	file *os.File
	pos  int64
}

func (p *positioned) Read(b []byte) (int, error) {
	n, err := p.file.ReadAt(b, p.pos)
	p.pos += int64(n)
	return n, err
}

// newSource returns the stream of f from its first byte. It decompresses gzip
// (RFC 1952; any number of members).
func newSource(f *os.File) (src io.Reader, zipped bool, err error) {
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return nil, false, err
	}
	raw := &positioned{file: f}
	if magic != [2]byte{0x1f, 0x8b} {
		return raw, false, nil
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(raw, windowSize))
	if err != nil {
		return nil, true, fmt.Errorf("head of the gzip data: %w", err)
	}
	return unzipper{z}, true, nil
}

// unzipper distinguishes a truncated compressed stream from a truncated
// capture.
type unzipper struct{ z *gzip.Reader }

func (u unzipper) Read(b []byte) (int, error) {
	n, err := u.z.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errZipCut
	}
	return n, err
}

var errZipCut = errors.New("the gzip data is truncated")
