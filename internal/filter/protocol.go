package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"gomapi/internal/bpf"
	"gomapi/internal/mapierr"
)

// Parent and child exchange frames over two pipes: one answer for each request, and one
// when the child is ready. Integers are big-endian.
//
//	request: length uint32 | link type uint16 | expression
//	answer:  length uint32 | verdict uint8    | instructions or text
//
// The length counts the bytes after it. Neither side trusts the length from the other.
const (
	lengthSize  = 4
	maxRequest  = 2 + MaxExpression
	maxAnswer   = 1 + bpf.RawSize*bpf.MaxInstructions
	maxText     = 2048
	verdictSize = 1
)

type verdict uint8

const (
	verdictOK      verdict = iota // ready, or compiled: the instructions follow
	verdictRefused                // the expression is invalid, error 1025: the text follows
	verdictUnable                 // the compiler cannot work, error 1027: the text follows
)

var errProtocol = errors.New("not an answer of the filter protocol")

// writeFrame sends head and body as one frame, in one write.
func writeFrame(w io.Writer, head, body []byte) error {
	b := make([]byte, lengthSize, lengthSize+len(head)+len(body))
	binary.BigEndian.PutUint32(b, uint32(len(head)+len(body)))
	_, err := w.Write(append(append(b, head...), body...))
	return err
}

// readFrame returns the next frame, which must have low to high bytes.
func readFrame(r io.Reader, low, high int) ([]byte, error) {
	var head [lengthSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < uint32(low) || n > uint32(high) {
		return nil, errProtocol
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeRequest(w io.Writer, expr string, linkType uint16) error {
	return writeFrame(w, binary.BigEndian.AppendUint16(nil, linkType), []byte(expr))
}

func writeAnswer(w io.Writer, raw []bpf.RawInstruction, err error) error {
	if err == nil {
		return writeFrame(w, []byte{byte(verdictOK)}, bpf.Marshal(raw))
	}
	v := verdictRefused
	if mapierr.CodeOf(err, mapierr.PcapBPF) == mapierr.PcapOpenDead {
		v = verdictUnable
	}
	text := err.Error()
	return writeFrame(w, []byte{byte(v)}, []byte(text[:min(len(text), maxText)]))
}

// readAnswer returns the program that the child compiled. A refusal by the child is a
// *mapierr.Error. After any other error the child must not be used again.
func readAnswer(r io.Reader) ([]bpf.RawInstruction, error) {
	b, err := readFrame(r, verdictSize, maxAnswer)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	v, body := verdict(b[0]), b[verdictSize:]
	switch {
	case v == verdictOK:
		if raw, ok := bpf.Unmarshal(body); ok {
			return raw, nil
		}
	case v == verdictRefused && len(body) <= maxText:
		return nil, mapierr.New(mapierr.PcapBPF, "%s", printable(body))
	case v == verdictUnable && len(body) <= maxText:
		return nil, mapierr.New(mapierr.PcapOpenDead, "%s", printable(body))
	}
	return nil, errProtocol
}
