package filter

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"gomapi/internal/bpf"
)

// HelperName is the argv[0] that marks a process as a child of a Helper. Its arguments
// are the bytes of address space that it may use in addition to those at its start, and
// its processor time in seconds.
const HelperName = "mapi-filter-compiler"

// Serve is the child's half of Helper. It reports that the child is ready or, if unready
// is not nil, why not. Then it answers requests with compile until in ends.
func Serve(in io.Reader, out io.Writer, unready error, compile func(expr string, linkType uint16) ([]bpf.RawInstruction, error)) error {
	if err := writeAnswer(out, nil, unready); err != nil || unready != nil {
		return err
	}
	in = bufio.NewReader(in) // reads a request in one system call
	for {
		b, err := readFrame(in, maxRequest-MaxExpression, maxRequest)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		raw, err := compile(string(b[2:]), binary.BigEndian.Uint16(b))
		if err := writeAnswer(out, raw, err); err != nil {
			return err
		}
	}
}
