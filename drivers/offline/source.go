package offline

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"gomapi/internal/foreign"
)

// newSource returns the stream of raw from its first byte. It decompresses gzip
// (RFC 1952; any number of members).
func newSource(raw *foreign.Reader) (src io.Reader, zipped bool, err error) {
	magic := make([]byte, 2)
	if _, err := io.ReadFull(raw, magic); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, false, err
	}
	raw.Rewind()
	if [2]byte(magic) != [2]byte{0x1f, 0x8b} {
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
