package libpcap

import (
	"testing"

	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
)

// BenchmarkMatch runs both machines on a packet that matches, with libpcap's optimised
// program and with the one that it makes of long expressions.
func BenchmarkMatch(b *testing.B) {
	data := builtPackets(b)["plain"]
	for _, expr := range []string{"tcp and dst port 80", "host 192.168.1.2", "src net 10.0.0.0/8 and tcp", "tcp[tcpflags] & tcp-syn != 0"} {
		for _, optimize := range []bool{true, false} {
			name := expr
			if !optimize {
				name += " (not optimised)"
			}
			raw, err := compile(expr, 1, optimize)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkMatch(b, name, raw, data)
		}
	}
}

func benchmarkMatch(b *testing.B, name string, raw []bpf.RawInstruction, data []byte) {
	p, err := bpf.NewProgram(raw)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !p.Match(data, uint32(len(data))) {
				b.Fatal("no match")
			}
		}
	})
	ins, _ := netbpf.Disassemble(raw)
	vm, err := netbpf.NewVM(ins)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(name+" in x/net/bpf", func(b *testing.B) {
		for b.Loop() {
			if n, err := vm.Run(data); n == 0 || err != nil {
				b.Fatal(n, err)
			}
		}
	})
}
