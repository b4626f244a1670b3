// Package bpftest contains helpers for tests of programs: independent machines, and
// programs of random instructions.
//
//	oracle.go   x/net/bpf and libpcap's bpf_filter
//	random.go   random programs and packets
package bpftest

import (
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"
	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
)

// Assemble makes a program of instructions, which must be valid.
func Assemble(t testing.TB, ins ...netbpf.Instruction) *bpf.Program {
	t.Helper()
	raw, err := netbpf.Assemble(ins)
	if err != nil {
		t.Fatal(err)
	}
	p, err := bpf.NewProgram(raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Oracles returns the decisions of x/net/bpf and of libpcap's bpf_filter for a packet
// that was captured whole. A function is nil if that machine cannot run the program.
func Oracles(t testing.TB, raw []bpf.RawInstruction) (vm, libpcap func(data []byte) bool) {
	t.Helper()
	ins, _ := netbpf.Disassemble(raw)
	// x/net/bpf cannot negate, and takes "ldx len" for "ld len".
	if machine, err := netbpf.NewVM(ins); err == nil && !uses(raw, 0x84, 0x81) {
		vm = func(data []byte) bool {
			n, err := machine.Run(data)
			if err != nil {
				t.Fatal(err)
			}
			return n != 0
		}
	}
	loop := func(r bpf.RawInstruction) bool { return r.Op == 0x05 && int32(r.K) < 0 }
	if uses(raw, 0x60, 0x61) || slices.ContainsFunc(raw, loop) { // it does not clear scratch memory and does not bound loops
		return vm, nil
	}
	code := make([]pcap.BPFInstruction, len(raw))
	for i, r := range raw {
		code[i] = pcap.BPFInstruction{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	var none *pcap.Handle // the method does not use it
	filter, err := none.NewBPFInstructionFilter(code)
	if err != nil {
		t.Fatal(err)
	}
	return vm, func(data []byte) bool {
		return filter.Matches(gopacket.CaptureInfo{Length: len(data)}, data)
	}
}

func uses(raw []bpf.RawInstruction, codes ...uint16) bool {
	return slices.ContainsFunc(raw, func(r bpf.RawInstruction) bool { return slices.Contains(codes, r.Op) })
}
