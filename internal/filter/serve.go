package filter

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"gomapi/internal/bpf"
)

// HelperName is the argv[0] by which a process knows that it is a child of a
// Helper. Its arguments are the bytes of address space that it may use beyond
// those it starts with, and its seconds of processor time.
const HelperName = "mapi-filter-compiler"

// Serve is the child's half of Helper: it says that it is ready, or with
// unready why not, and answers requests with compile until in ends.
func Serve(in io.Reader, out io.Writer, unready error, compile func(expr string, linkType uint16) ([]bpf.RawInstruction, error)) error {
	if err := writeAnswer(out, nil, unready); err != nil || unready != nil {
		return err
	}
	in = bufio.NewReader(in) // a request in one system call
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
