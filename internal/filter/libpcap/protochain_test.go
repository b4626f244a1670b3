package libpcap

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/bpf"
)

const (
	destinationOptions   = 60 // IPv6 extension headers of 8 bytes (RFC 8200, section 4)
	authenticationHeader = 51 // of 12 bytes here (RFC 4302)
)

// chained returns an Ethernet frame of IPv6 with n extension headers of one kind,
// followed by 8 bytes of UDP.
func chained(n int, kind byte) []byte {
	const udp, ext, head = 17, 8, 14 + 40
	header := make([]byte, ext)
	if kind == authenticationHeader {
		header = append(header, 0, 0, 0, 0)
		header[1] = 1 // 4-byte words less 2
	}
	frame := make([]byte, head, head+n*len(header)+8)
	binary.BigEndian.PutUint16(frame[12:], 0x86dd)
	frame[14] = 6 << 4
	binary.BigEndian.PutUint16(frame[18:], uint16(n*len(header)+8))
	frame[20] = udp
	for i := range n {
		if i == 0 {
			frame[20] = kind
		}
		header[0] = kind
		if i == n-1 {
			header[0] = udp
		}
		frame = append(frame, header...)
	}
	return append(frame, make([]byte, 8)...)
}

// protochains returns an expression of n protochains, the last of which matches UDP.
func protochains(family string, n int) string {
	var terms []string
	for i := range n - 1 {
		terms = append(terms, fmt.Sprint(family, "protochain ", 100+i))
	}
	return strings.Join(append(terms, family+"protochain 17"), " or ")
}

// TestProtochains: each of several protochains of one expression follows all headers, as
// in libpcap's bpf_filter.
func TestProtochains(t *testing.T) {
	h := ethernetHandle(t)
	exprs := []string{
		"not ip6 protochain 6", "not ip6 protochain 6 and not ip6 protochain 1",
		"not (protochain 6 or protochain 1)", "protochain 6 or (ip6 protochain 1 or protochain 17)",
	}
	for _, n := range []int{1, 2, 4, 8, 16} {
		exprs = append(exprs, protochains("ip6 ", n))
	}
	exprs = append(exprs, protochains("", 8)) // each is one loop for IPv4 and one for IPv6
	for _, expr := range exprs {
		p, err := program(expr, 1)
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(t, h, expr, p)
		for _, n := range slices.Concat(numbers(40), []int{180, 1000, 5000}) {
			data := chained(n, destinationOptions)
			if who := o.differs(frame{data, len(data)}); who != "" {
				t.Errorf("%q with %d headers: %s does not say %v", expr, n, who, p.Match(data, uint32(len(data))))
			}
			if !p.Match(data, uint32(len(data))) {
				t.Errorf("%q with %d headers does not match", expr, n)
			}
		}
	}
}

// TestProtochainEnds uses two authentication headers in a row, on which bpf_filter would
// run forever.
func TestProtochainEnds(t *testing.T) {
	p, err := program("ip6 protochain 58", 1)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1000 {
		data := chained(n, authenticationHeader)
		if p.Match(data, uint32(len(data))) {
			t.Errorf("%d headers: a match", n)
		}
	}
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func ethernetHandle(t testing.TB) *pcap.Handle {
	for _, c := range allCaptures(t) {
		if c.linkType == 1 {
			return c.handle
		}
	}
	t.Fatal("no capture of Ethernet")
	return nil
}

// TestProtochainsBounded: with any number of protochains, a chain of headers of ordinary
// length is decided exactly. In the longest chain, not all protochains follow all
// headers: the last one, which would match, does not reach its header.
func TestProtochainsBounded(t *testing.T) {
	p, err := program(protochains("ip6 ", 1000), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 8} {
		data := append(chained(n, destinationOptions), make([]byte, 4000)...)
		if !p.Match(data, uint32(len(data))) {
			t.Errorf("%d headers: no match", n)
		}
	}
	long := chained(8000, destinationOptions)
	if p.Match(long, uint32(len(long))) {
		t.Error("1000 protochains have gone through 8000 headers each")
	}
	if one, err := program(protochains("ip6 ", 1), 1); err != nil || !one.Match(long, uint32(len(long))) {
		t.Errorf("one protochain has not: %v", err)
	}
}

func BenchmarkProtochains(b *testing.B) {
	for _, n := range []int{1, 16, 1000} {
		raw, err := Compile(protochains("ip6 ", n), 1)
		if err != nil {
			b.Fatal(err)
		}
		p, err := bpf.NewProgram(raw)
		if err != nil {
			b.Fatal(err)
		}
		data := chained(180, destinationOptions)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				p.Match(data, uint32(len(data)))
			}
		})
	}
}
