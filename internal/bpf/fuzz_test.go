package bpf_test

import (
	"slices"
	"testing"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
)

func FuzzProgram(f *testing.F) {
	f.Add([]byte{33, 0, 0, 12, 41, 0, 1, 8, 38, 0, 0, 0}, []byte("0123456789ab\x00\x08rest"))
	f.Add([]byte{32, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 39, 0, 0, 0}, []byte{1, 2, 3, 4})
	f.Add([]byte{31, 0, 0, 14, 37, 0, 0, 0, 17, 0, 0, 3, 39, 0, 0, 0}, []byte("aaaaaaaaaaaaaaE"))
	f.Fuzz(func(t *testing.T, code, data []byte) {
		raw := bpftest.Fuzzed(code)
		p, err := bpf.NewProgram(raw)
		if err != nil {
			return
		}
		if !slices.Equal(p.Raw(), raw) {
			t.Fatal("Raw differs from what NewProgram got")
		}
		vm, libpcap := bpftest.Oracles(t, raw)
		got := p.Match(data, uint32(len(data)))
		if vm != nil && vm(data) != got {
			t.Errorf("x/net/bpf says %v of\n%v", !got, raw)
		}
		if libpcap != nil && len(data) > 0 && libpcap(data) != got {
			t.Errorf("libpcap says %v of\n%v", !got, raw)
		}
	})
}
