package filter_test

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"syscall"
	"time"

	"gomapi/internal/bpf"
	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
)

// Memory limits that tell a fake child what to do at its start.
const (
	fakeUnready = 1 + iota // it reports that it cannot work
	fakeMute               // it never reports anything
	fakeQuits              // it exits at once
)

// fakeChild is a child whose expressions tell it what to do.
func fakeChild() int {
	switch os.Args[1] {
	case "1":
		_ = filter.Serve(os.Stdin, os.Stdout, mapierr.New(mapierr.PcapOpenDead, "no seccomp here"), nil)
		return 0
	case "2":
		hang()
	case "3":
		return 3
	}
	if err := filter.Serve(os.Stdin, os.Stdout, nil, fakeCompile); err != nil {
		return 1
	}
	return 0
}

func fakeCompile(expr string, linkType uint16) ([]bpf.RawInstruction, error) {
	if what, path, ok := strings.Cut(expr, " once "); ok && os.Remove(path) == nil {
		expr = what
	}
	switch expr {
	case "hang":
		hang()
	case "exit":
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		hang()
	case "garbage":
		answer([]byte{0, 0, 0, 3, 77, 1, 2})
	case "half an instruction":
		answer([]byte{0, 0, 0, 3, 0, 1, 2})
	case "huge":
		answer([]byte{0xff, 0xff, 0xff, 0xff})
	case "twice":
		answer([]byte{0, 0, 0, 2, refused, 'a', 0, 0, 0, 2, refused, 'b'})
		hang()
	case "empty":
		answer([]byte{0, 0, 0, 0})
	case "short":
		answer([]byte{0, 0, 0, 99, 0, 1})
		os.Exit(0)
	case "invalid program":
		return []bpf.RawInstruction{{Op: 0xffff}}, nil
	case "no program":
		return nil, nil
	case "unable":
		return nil, mapierr.New(mapierr.PcapOpenDead, "no more memory")
	case "long text":
		return nil, errors.New(strings.Repeat("x", 1<<20))
	case "control bytes":
		return nil, errors.New("a\x1b[31m\nb")
	}
	return []bpf.RawInstruction{{Op: 6, K: uint32(len(expr))<<16 | uint32(linkType)}}, nil
}

// hang never returns, and prevents the runtime from detecting a deadlock.
func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

const refused = 1 // verdict: the text follows

// answer sends bytes that Serve would not send.
func answer(b []byte) { _ = binary.Write(os.Stdout, binary.BigEndian, b) }
