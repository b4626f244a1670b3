package bpf_test

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/pkt"
)

// numbers is the domain of the values of one packet, so that a program decides as in
// Match.
type numbers struct {
	pkt.Packet
	steps int
}

// A number does not exist if it was loaded from outside the packet or divided by 0.
type number struct {
	v    uint32
	none bool
}

func (n *numbers) Constant(k uint32) number         { return number{v: k} }
func (n *numbers) Value(number) (uint32, bool)      { return 0, false }
func (n *numbers) Length() number                   { return number{v: n.Wire} }
func (n *numbers) Decide(accept bool) bool          { return accept }
func (n *numbers) Require(v number, then bool) bool { return then && !v.none }
func (n *numbers) Step() bool                       { n.steps++; return n.steps < 1<<20 }

func (n *numbers) Load(size uint8, base number, k uint32) (number, bool) {
	at := uint64(base.v) + uint64(k)
	if base.none || at+uint64(size) > uint64(len(n.Link)) {
		return number{none: true}, true
	}
	v := uint32(0)
	for _, b := range n.Link[at:][:size] {
		v = v<<8 | uint32(b)
	}
	return number{v: v}, true
}

func (n *numbers) Arith(op uint32, a, b number) (number, bool) {
	v, ok := bpf.Arith(op, a.v, b.v)
	return number{v, !ok || a.none || b.none}, true
}

func (n *numbers) Test(op uint32, a number, k uint32, yes, no bool) bool {
	return n.Compare(op, a, number{v: k}, yes, no)
}

func (n *numbers) Compare(op uint32, a, b number, yes, no bool) bool {
	if op == unix.BPF_JEQ && a.v == b.v || op == unix.BPF_JGT && a.v > b.v || op == unix.BPF_JGE && a.v >= b.v || op == unix.BPF_JSET && a.v&b.v != 0 {
		return yes
	}
	return no
}

// TestExecutorDecidesAsMatch: symbolic execution on numbers equals the interpreter.
func TestExecutorDecidesAsMatch(t *testing.T) {
	r := bpftest.Programmer{Rand: rand.New(rand.NewPCG(7, 7))}
	matches := 0
	for range 3000 {
		p, err := bpf.NewProgram(r.Program())
		if err != nil {
			t.Fatal(err)
		}
		d := &numbers{Packet: r.Packet()}
		want := p.Match(d.Link, d.Wire)
		if got := bpf.NewExecutor[number, bool](d).Run(p); got != want {
			t.Fatalf("%v on %x: %v", p.Raw(), d.Link, got)
		}
		if want {
			matches++
		}
	}
	if matches < 300 {
		t.Errorf("%d matches, too few to tell", matches)
	}
}

// TestExecutorMeetsStatesOnce: ways that lead to equal states, apart from cells that are
// not read, are executed once.
func TestExecutorMeetsStatesOnce(t *testing.T) {
	const tests = 60
	var raw []bpf.RawInstruction
	data := make([]byte, tests)
	for i := range uint32(tests) { // a scratch cell differs, but nobody reads it
		data[i] = byte(i)
		raw = append(raw, bpf.RawInstruction{Op: 0x30, K: i}, bpf.RawInstruction{Op: 0x15, K: 1, Jf: 1}, bpf.RawInstruction{Op: 0x02, K: 1})
	}
	p, err := bpf.NewProgram(append(raw, bpf.RawInstruction{Op: 0x06, K: 1}))
	if err != nil {
		t.Fatal(err)
	}
	d := &numbers{Packet: pkt.Packet{Link: data}}
	if !bpf.NewExecutor[number, bool](d).Run(p) || d.steps > 5*tests {
		t.Errorf("%d steps for %d instructions", d.steps, p.Len())
	}
}
