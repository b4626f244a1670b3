package acceptance

import (
	"bytes"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"

	"gomapi/internal/testdata"
	"gomapi/mapi/mapitest"
)

// A trace is a set of packets of one link type, with two judges: libpcap, which
// compiles filters and runs them, and a search that checks every position.
type trace struct {
	link    *pcap.Handle // of a file with this link type
	packets []mapitest.Packet
}

// A set is a set of packets of a trace, by number.
type set []bool

// traceOf reads a capture.
func traceOf(t *testing.T, path string) *trace {
	t.Helper()
	path = plain(t, path)
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	tr := &trace{link: h}
	infos := packetsOf(t, path)
	for i, data := range framesOf(t, path) {
		tr.packets = append(tr.packets, mapitest.Packet{Data: data, Wire: infos[i].Length})
	}
	return tr
}

// mixture has up to each packets of every Ethernet capture.
func mixture(t *testing.T, each int) *trace {
	t.Helper()
	all := &trace{}
	for _, c := range captures(t) {
		if c.status != "ok" || c.link != "ether" || c.erf() {
			continue
		}
		tr := traceOf(t, filepath.Join(testdata.Dir(t), c.name))
		all.link = tr.link
		step := max(1, len(tr.packets)/each)
		for i := 0; i < len(tr.packets); i += step {
			if p := tr.packets[i]; len(p.Data) > 0 { // gopacket cannot run libpcap on zero bytes
				p.Wire = max(p.Wire, len(p.Data))
				all.packets = append(all.packets, p)
			}
		}
	}
	return all
}

// filter returns the packets that libpcap accepts, or false if the expression
// is invalid for the link type.
func (tr *trace) filter(expr string) (set, bool) {
	program, err := tr.link.NewBPF(expr)
	if err != nil {
		return nil, false
	}
	accepted := make(set, len(tr.packets))
	for i, p := range tr.packets {
		accepted[i] = len(p.Data) > 0 && program.Matches(gopacket.CaptureInfo{CaptureLength: len(p.Data), Length: p.Wire}, p.Data)
	}
	return accepted, true
}

// A quest is the subject of a STR_SEARCH.
type quest struct {
	alternatives  [][]byte
	offset, depth int
}

// search returns the packets that contain one of the strings.
func (tr *trace) search(q quest) set {
	found := make(set, len(tr.packets))
	for i, p := range tr.packets {
		window := p.Data[min(q.offset, len(p.Data)):]
		if q.depth > 0 {
			window = window[:min(q.depth, len(window))]
		}
		for _, alt := range q.alternatives {
			found[i] = found[i] || bytes.Contains(window, alt)
		}
	}
	return found
}

// filtering is a BPF_FILTER, or false if the filter is invalid for the link
// type.
func (tr *trace) filtering(expr string) (step, bool) {
	lets, ok := tr.filter(expr)
	return step{call{"BPF_FILTER", []any{expr}}, lets}, ok
}

// searching is a STR_SEARCH.
func (tr *trace) searching(q quest) step { return step{q.call(), tr.search(q)} }

// call writes a quest in the syntax of STR_SEARCH.
func (q quest) call() call {
	var text []string
	for _, alt := range q.alternatives {
		text = append(text, pattern(alt))
	}
	return search(strings.Join(text, "||"), q.offset, q.depth)
}

// pattern writes letters as they are, other bytes in hexadecimal.
func pattern(of []byte) string {
	var b strings.Builder
	for i := 0; i < len(of); i++ {
		switch c := of[i]; {
		case c == '|' || c == '\\':
			b.WriteString(`\` + string(c))
		case c >= ' ' && c <= '~':
			b.WriteByte(c)
		default:
			b.WriteString("|" + hex.EncodeToString(of[i:i+1]) + "|")
		}
	}
	return b.String()
}

// manualFilters are the forms of pcap-filter(7) that the tests of the filter
// compiler list.
func manualFilters(t *testing.T) (filters []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../filter/libpcap/expressions_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && s != "" {
				filters = append(filters, s)
			}
		}
		return true
	})
	if len(filters) < 200 {
		t.Fatalf("only %d filters are listed", len(filters))
	}
	return filters
}
