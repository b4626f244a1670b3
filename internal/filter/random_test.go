package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"gomapi/internal/pkt"
)

// A programmer writes random programs that look like filters: loads at few
// offsets, tests against few values, jumps forward to places that others share.
type programmer struct{ *rand.Rand }

func (r programmer) one(of ...uint32) uint32 { return of[r.IntN(len(of))] }

func (r programmer) offset() uint32 {
	return r.one(0, 1, 2, 3, 4, 6, 8, 12, 14, 20, 23, 26, 30, 60, uint32(r.IntN(70)))
}

func (r programmer) value() uint32 {
	return r.one(0, 1, 2, 3, 4, 6, 17, 0x45, 0x0100, 0x0800, 0x01020304, 0xff, 0xffff, 0xffffffff, r.Uint32(), uint32(r.IntN(256)))
}

// program returns instructions that NewProgram accepts.
func (r programmer) program() []bpf.RawInstruction {
	n := 3 + r.IntN(25)
	raw := make([]bpf.RawInstruction, 0, n+2)
	for len(raw) < n {
		raw = append(raw, r.instruction(n+1-len(raw)))
	}
	return append(raw, bpf.RawInstruction{Op: unix.BPF_RET, K: r.one(0, 1)}, bpf.RawInstruction{Op: unix.BPF_RET, K: r.one(0, 1)})
}

// instruction returns one that may jump over up to left others.
func (r programmer) instruction(left int) bpf.RawInstruction {
	size := uint16(r.one(unix.BPF_W, unix.BPF_H, unix.BPF_B))
	jump := func() uint8 { return uint8(min(left-1, r.IntN(8), 255)) }
	switch r.IntN(20) {
	case 0, 1, 2, 3, 4:
		return bpf.RawInstruction{Op: unix.BPF_LD | unix.BPF_ABS | size, K: r.offset()}
	case 5, 6:
		return bpf.RawInstruction{Op: unix.BPF_LD | unix.BPF_IND | size, K: r.offset()}
	case 7:
		return bpf.RawInstruction{Op: unix.BPF_LDX | unix.BPF_MSH | unix.BPF_B, K: r.offset()}
	case 8:
		return bpf.RawInstruction{Op: uint16(r.one(unix.BPF_LD, unix.BPF_LDX) | r.one(unix.BPF_IMM, unix.BPF_MEM)), K: r.one(0, 1, 2)}
	case 9:
		return bpf.RawInstruction{Op: uint16(r.one(unix.BPF_ST, unix.BPF_STX)), K: r.one(0, 1, 2)}
	case 10:
		return bpf.RawInstruction{Op: uint16(unix.BPF_MISC | r.one(unix.BPF_TAX, unix.BPF_TXA))}
	case 11:
		return bpf.RawInstruction{Op: unix.BPF_LD | unix.BPF_LEN}
	case 12, 13:
		return r.arithmetic()
	case 14:
		return bpf.RawInstruction{Op: uint16(unix.BPF_RET | r.one(unix.BPF_K, unix.BPF_A)), K: r.one(0, 1)}
	}
	op := r.one(unix.BPF_JEQ, unix.BPF_JEQ, unix.BPF_JEQ, unix.BPF_JGT, unix.BPF_JGE, unix.BPF_JSET)
	if r.IntN(10) == 0 {
		op |= unix.BPF_X
	}
	return bpf.RawInstruction{Op: uint16(unix.BPF_JMP | op), Jt: jump(), Jf: jump(), K: r.value()}
}

func (r programmer) arithmetic() bpf.RawInstruction {
	op := r.one(unix.BPF_ADD, unix.BPF_SUB, unix.BPF_MUL, unix.BPF_DIV, unix.BPF_MOD, unix.BPF_AND, unix.BPF_AND,
		unix.BPF_AND, unix.BPF_OR, unix.BPF_XOR, unix.BPF_LSH, unix.BPF_RSH, unix.BPF_RSH, unix.BPF_NEG)
	ins := bpf.RawInstruction{Op: uint16(unix.BPF_ALU | op), K: r.one(0xff, 0xfffff00, 0xffffff00, 0xf, 1, 2, 4, 0xf0, r.value())}
	switch {
	case op == unix.BPF_NEG:
	case r.IntN(5) == 0:
		ins.Op |= unix.BPF_X
	case op == unix.BPF_DIV || op == unix.BPF_MOD:
		ins.K = max(ins.K, 1)
	case op == unix.BPF_LSH || op == unix.BPF_RSH:
		ins.K %= 32
	}
	return ins
}

// packet returns a packet of values that programs ask for.
func (r programmer) packet() pkt.Packet {
	b := make([]byte, r.one(0, 1, 14, 60, 64, 80, uint32(r.IntN(90))))
	for i := range b {
		b[i] = byte(r.one(0, 1, 2, 3, 4, 6, 8, 17, 0x45, 0xff, r.Uint32()))
	}
	return pkt.Packet{Link: b, Wire: uint32(len(b))}
}

// A filterset is programs with what independent machines make of them.
type filterset struct {
	raw      [][]bpf.RawInstruction
	programs []*Program
	vm, pcap []func([]byte) bool
}

func (f *filterset) add(t *testing.T, raw []bpf.RawInstruction) {
	t.Helper()
	p, err := NewProgram(raw)
	if err != nil {
		t.Fatalf("%v: %v", raw, err)
	}
	vm, pcap := oracles(t, raw)
	f.raw, f.programs = append(f.raw, raw), append(f.programs, p)
	f.vm, f.pcap = append(f.vm, vm), append(f.pcap, pcap)
}

// want returns what filter m decides, and whether all machines that know agree.
func (f *filterset) want(m int, data []byte) (match, agreed bool) {
	match, agreed = f.programs[m].Match(data, uint32(len(data))), true
	if vm := f.vm[m]; vm != nil && vm(data) != match {
		agreed = false
	}
	if pcap := f.pcap[m]; pcap != nil && len(data) > 0 && pcap(data) != match {
		agreed = false
	}
	return match, agreed
}

func (f *filterset) compare(t *testing.T, name string, pkts []pkt.Packet) {
	t.Helper()
	c := NewClassifier(f.programs)
	for i, p := range pkts {
		hits := classify(c, pkts[i:i+1])
		var want []hit
		for m := range f.programs {
			match, agreed := f.want(m, p.Link)
			if !agreed {
				t.Fatalf("%s: machines differ about %v on %x", name, f.raw[m], p.Link)
			}
			if match {
				want = append(want, hit{0, uint32(m)})
			}
		}
		if !slices.Equal(hits, want) {
			t.Fatalf("%s: packet %x: %v, want %v (%+v)", name, p.Link, hits, want, c.Stats())
		}
	}
}

// Random programs in sets of all sizes, against x/net/bpf and libpcap.
func TestRandomPrograms(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for seed := range rounds {
		r := programmer{rand.New(rand.NewPCG(uint64(seed), 1))}
		var f filterset
		for range r.one(1, 2, 5, 20, 100, 300) {
			f.add(t, r.program())
		}
		var pkts []pkt.Packet
		for range 40 {
			pkts = append(pkts, r.packet())
		}
		f.compare(t, fmt.Sprint("seed ", seed), pkts)
	}
}

// FuzzRandomPrograms has the fuzzer choose sets and packets.
func FuzzRandomPrograms(f *testing.F) {
	f.Add(uint64(1), uint8(3), []byte("\x00\x01\x02\x03\x04\x06\x08\x11\x45\xff"))
	f.Fuzz(func(t *testing.T, seed uint64, size uint8, data []byte) {
		r := programmer{rand.New(rand.NewPCG(seed, 2))}
		var set filterset
		for range size {
			set.add(t, r.program())
		}
		pkts := []pkt.Packet{{Link: data, Wire: uint32(len(data))}, r.packet(), r.packet()}
		set.compare(t, "set", pkts)
	})
}
