package classify_test

import (
	"slices"
	"testing"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

func FuzzClassifier(f *testing.F) {
	f.Add([]byte{33, 0, 0, 0, 41, 0, 1, 8, 38, 0, 0, 0}, []byte("\x00\x08\x00\x09\x00\x08"), uint8(2), uint8(7))
	f.Fuzz(func(t *testing.T, code, data []byte, size, more uint8) {
		programs := []*bpf.Program{nil}
		for len(code) > 0 && len(programs) < 20 {
			n := min(int(size)+4, len(code))
			if p, err := bpf.NewProgram(bpftest.Fuzzed(code[:n])); err == nil {
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
		got := hitsOf(classify.NewClassifier(programs), pkts)
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
