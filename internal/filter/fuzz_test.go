package filter

import (
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"
	"golang.org/x/net/bpf"

	"gomapi/internal/pkt"
)

// randomCodes are what fuzzed programs are made of, so that most are valid.
var randomCodes = []uint16{
	0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x94, 0x9c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
	0x64, 0x6c, 0x74, 0x7c, 0x84, 0x20, 0x28, 0x30, 0x80, 0x40, 0x48, 0x50, 0x00, 0x60, 0x81, 0xb1,
	0x01, 0x61, 0x02, 0x03, 0x07, 0x87, 0x06, 0x16, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25, 0x2d, 0x45, 0x4d,
	0xffff, 0x21,
}

// fuzzed makes instructions of b: short jumps and small constants for the most
// part, any value for some.
func fuzzed(b []byte) []bpf.RawInstruction {
	var raw []bpf.RawInstruction
	for ; len(b) >= 4 && len(raw) < 64; b = b[4:] {
		ins := bpf.RawInstruction{Op: randomCodes[int(b[0])%len(randomCodes)], Jt: b[1] % 4, Jf: b[2] % 4, K: uint32(b[3] % 64)}
		switch b[1] >> 5 {
		case 7:
			ins.K = 0xffffffff - uint32(b[3])
		case 6:
			ins.Jt, ins.Jf = b[1], b[2]
		case 5:
			ins.K = uint32(b[3]) << 24
		}
		raw = append(raw, ins)
	}
	return append(raw, bpf.RawInstruction{Op: 0x06, K: 1}, bpf.RawInstruction{Op: 0x16}, bpf.RawInstruction{Op: 0x06})
}

// oracles returns what x/net/bpf and libpcap's bpf_filter say of a packet that
// was captured whole; nil where they cannot tell.
func oracles(t testing.TB, raw []bpf.RawInstruction) (vm, libpcap func(data []byte) bool) {
	t.Helper()
	ins, _ := bpf.Disassemble(raw)
	// x/net/bpf cannot negate and takes "ldx len" for "ld len".
	if machine, err := bpf.NewVM(ins); err == nil && !uses(raw, 0x84, 0x81) {
		vm = func(data []byte) bool {
			n, err := machine.Run(data)
			if err != nil {
				t.Fatal(err)
			}
			return n != 0
		}
	}
	loop := func(r bpf.RawInstruction) bool { return r.Op == 0x05 && int32(r.K) < 0 }
	if uses(raw, 0x60, 0x61) || slices.ContainsFunc(raw, loop) { // it clears no scratch memory and bounds no loop
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

func FuzzProgram(f *testing.F) {
	f.Add([]byte{33, 0, 0, 12, 41, 0, 1, 8, 38, 0, 0, 0}, []byte("0123456789ab\x00\x08rest"))
	f.Add([]byte{32, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 39, 0, 0, 0}, []byte{1, 2, 3, 4})
	f.Add([]byte{31, 0, 0, 14, 37, 0, 0, 0, 17, 0, 0, 3, 39, 0, 0, 0}, []byte("aaaaaaaaaaaaaaE"))
	f.Fuzz(func(t *testing.T, code, data []byte) {
		raw := fuzzed(code)
		p, err := NewProgram(raw)
		if err != nil {
			return
		}
		if !slices.Equal(p.Raw(), raw) {
			t.Fatal("Raw differs from what NewProgram got")
		}
		vm, libpcap := oracles(t, raw)
		got := p.Match(data, uint32(len(data)))
		if vm != nil && vm(data) != got {
			t.Errorf("x/net/bpf says %v of\n%v", !got, raw)
		}
		if libpcap != nil && len(data) > 0 && libpcap(data) != got {
			t.Errorf("libpcap says %v of\n%v", !got, raw)
		}
	})
}

func FuzzClassifier(f *testing.F) {
	f.Add([]byte{33, 0, 0, 0, 41, 0, 1, 8, 38, 0, 0, 0}, []byte("\x00\x08\x00\x09\x00\x08"), uint8(2), uint8(7))
	f.Fuzz(func(t *testing.T, code, data []byte, size, more uint8) {
		programs := []*Program{nil}
		for len(code) > 0 && len(programs) < 20 {
			n := min(int(size)+4, len(code))
			if p, err := NewProgram(fuzzed(code[:n])); err == nil {
				programs = append(programs, p)
			}
			code = code[n:]
		}
		var pkts []pkt.Packet
		for len(data) > 0 && len(pkts) < 20 {
			n := min(int(size%16)+1, len(data))
			pkts = append(pkts, pkt.Packet{Link: data[:n], Wire: uint32(n) + uint32(more)})
			data = data[n:]
		}
		got := classify(NewClassifier(programs), pkts)
		var want []hit
		for i, p := range pkts {
			for m, program := range programs {
				if program != nil && program.Match(p.Link, p.Wire) {
					want = append(want, hit{uint32(i), uint32(m)})
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
