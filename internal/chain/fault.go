package chain

import (
	"fmt"
	"runtime"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A Fault is a panic of a function, or a result that breaks the contract of package flib.
type Fault struct {
	What  string // "function NAME"
	Value any    // of the panic
	Stack []byte // of the goroutine
	First []byte // first bytes of the first packet that it was given; nil: none
	Step  int    // index in Chain.Steps, -1: none
	Lost  int    // packets that the step was given
}

// maxFirst limits the bytes of a packet in a Fault.
const maxFirst = 64

// newFault describes a panic, which the caller has recovered, of what was given in.
func newFault(what string, step int, in []*pkt.Packet, value any) *Fault {
	f := &Fault{What: what, Value: value, Stack: make([]byte, 8<<10), Step: step, Lost: len(in)}
	f.Stack = f.Stack[:runtime.Stack(f.Stack, false)]
	if len(in) > 0 && in[0] != nil {
		f.First = append(f.First, in[0].Link[:min(maxFirst, len(in[0].Link))]...)
	}
	return f
}

// CheckPassed panics unless out is in with packets left out.
func CheckPassed(in, out []*pkt.Packet) {
	if len(out) == 0 || len(in) == len(out) && &in[0] == &out[0] {
		return
	}
	at := 0
	for _, p := range out {
		for at < len(in) && in[at] != p {
			at++
		}
		if at == len(in) {
			panic("the function has passed on a packet that it was not given; one that emits packets says so in its definition")
		}
		at++
	}
}

// checkEmitted panics unless the packets that a function has emitted are valid.
func checkEmitted(out []*pkt.Packet) {
	if len(out) > flib.MaxList {
		panic(fmt.Sprintf("the function has emitted %d packets at a time, at most %d are allowed", len(out), flib.MaxList))
	}
	for _, p := range out {
		if p == nil || len(p.Link) > flib.MaxEmitted || uint64(p.Wire) < uint64(len(p.Link)) {
			panic(fmt.Sprintf("the function has emitted a packet that is missing, larger than %d bytes, or shorter on the wire than captured", flib.MaxEmitted))
		}
	}
}
