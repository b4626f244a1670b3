package content

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gomapi/internal/leak"
	"gomapi/internal/pkt"
)

func TestMain(m *testing.M) { leak.Main(m) }

// naive tries every position of a packet.
func naive(p *Pattern, link []byte) bool {
	end := len(link)
	if p.Depth > 0 {
		end = min(end, p.Offset+p.Depth)
	}
	for _, s := range p.Strings {
		for at := p.Offset; at+len(s) <= end; at++ {
			if string(link[at:at+len(s)]) == string(s) {
				return true
			}
		}
	}
	return false
}

// naiveHits is the expected result of Scan, sorted.
func naiveHits(patterns []*Pattern, pkts []*pkt.Packet) (hits []Hit) {
	for i, p := range pkts {
		for member, pattern := range patterns {
			if pattern != nil && naive(pattern, p.Link) {
				hits = append(hits, Hit{uint32(i), uint32(member)})
			}
		}
	}
	return hits
}

func sorted(hits []Hit) []Hit {
	slices.SortFunc(hits, func(a, b Hit) int {
		if a.Packet != b.Packet {
			return int(a.Packet) - int(b.Packet)
		}
		return int(a.Pattern) - int(b.Pattern)
	})
	return hits
}

// open creates a database and a scratch, which are closed at the end of the
// test.
func open(t testing.TB, patterns []*Pattern) (*Database, *Scratch) {
	t.Helper()
	d, err := New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	s := &Scratch{}
	if err := s.Fit(d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); d.Close() })
	return d, s
}

// all scans until all packets are decided, with room for room hits each time.
func all(t testing.TB, d *Database, s *Scratch, pkts []*pkt.Packet, room int) (hits []Hit) {
	t.Helper()
	for at := 0; at < len(pkts); {
		n, out := d.Scan(s, pkts[at:], make([]Hit, 0, room))
		if n == 0 {
			t.Fatalf("Scan decides no packet with room for %d hits, %d members", room, d.Len())
		}
		for _, h := range out {
			if int(h.Packet) >= n {
				t.Fatalf("hit in packet %d, but %d were decided", h.Packet, n)
			}
			hits = append(hits, Hit{h.Packet + uint32(at), h.Pattern})
		}
		at += n
	}
	if !slices.IsSortedFunc(hits, func(a, b Hit) int { return int(a.Packet) - int(b.Packet) }) {
		t.Fatal("packets are not in order")
	}
	return hits
}

// compare scans with the database, and with its automaton alone.
func compare(t testing.TB, patterns []*Pattern, pkts []*pkt.Packet) {
	t.Helper()
	d, err := New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := &Scratch{}
	defer s.Close()
	if err := s.Fit(d); err != nil {
		t.Fatal(err)
	}
	want := naiveHits(patterns, pkts)
	got := sorted(all(t, d, s, pkts, max(d.Len(), 1)))
	if !slices.Equal(got, want) {
		t.Fatalf("%s\nScan finds %v, want %v", describe(patterns, pkts), got, want)
	}
	if slow := sorted(automatonHits(t, d, s, pkts)); !slices.Equal(slow, want) {
		t.Fatalf("%s\nthe automaton finds %v, want %v", describe(patterns, pkts), slow, want)
	}
}

// automatonHits searches all packets with the automaton.
func automatonHits(t testing.TB, d *Database, s *Scratch, pkts []*pkt.Packet) (hits []Hit) {
	hits = make([]Hit, 0, len(pkts)*d.Len())
	for i, p := range pkts {
		h := newHitter(d, s, i, hits)
		if !d.automaton.search(p.Link, &s.strings, &h) {
			t.Fatal("no room for hits")
		}
		hits = h.hits
	}
	return hits
}

func describe(patterns []*Pattern, pkts []*pkt.Packet) string {
	var b strings.Builder
	for i, p := range patterns[:min(len(patterns), 20)] {
		fmt.Fprintf(&b, "%d: ", i)
		if p != nil {
			fmt.Fprintf(&b, "%q from %d, depth %d\n", p.Strings, p.Offset, p.Depth)
		}
	}
	for i, p := range pkts[:min(len(pkts), 10)] {
		fmt.Fprintf(&b, "packet %d: %.200q\n", i, p.Link)
	}
	return b.String()
}

// some returns n bytes from alphabet.
func some(r *rand.Rand, alphabet string, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return b
}

// randomPattern returns a pattern, sometimes one that cannot be found.
func randomPattern(r *rand.Rand, alphabet string) *Pattern {
	p := &Pattern{}
	for range 1 + r.IntN(3) {
		n := 1 + r.IntN(6)
		if r.IntN(3) == 0 {
			n = 1 + r.IntN(30)
		}
		p.Strings = append(p.Strings, some(r, alphabet, n))
	}
	if r.IntN(2) == 0 {
		p.Offset = r.IntN(40)
	}
	if r.IntN(2) == 0 {
		p.Depth = 1 + r.IntN(40)
	}
	return p
}

func packets(links ...[]byte) (pkts []*pkt.Packet) {
	for _, l := range links {
		pkts = append(pkts, &pkt.Packet{Link: l, Wire: uint32(len(l))})
	}
	return pkts
}

func TestScanAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	alphabets := []string{"ab", "a\x00", "abcdefgh", "\x00\xff\x80", "abcdefghijklmnopqrstuvwxyz"}
	for round := range 700 {
		alphabet := alphabets[round%len(alphabets)]
		var patterns []*Pattern
		for range 1 + r.IntN(60) {
			switch p := randomPattern(r, alphabet); {
			case r.IntN(20) == 0:
				patterns = append(patterns, nil)
			case len(patterns) > 0 && r.IntN(10) == 0:
				patterns = append(patterns, patterns[r.IntN(len(patterns))])
			default:
				patterns = append(patterns, p)
			}
		}
		var links [][]byte
		for range r.IntN(8) {
			links = append(links, some(r, alphabet, r.IntN(120)))
		}
		compare(t, patterns, packets(links...))
	}
}

func TestWindows(t *testing.T) {
	const link = "0123456789"
	of := func(offset, depth int, texts ...string) *Pattern {
		p := &Pattern{Offset: offset, Depth: depth}
		for _, s := range texts {
			p.Strings = append(p.Strings, []byte(s))
		}
		return p
	}
	patterns := []*Pattern{
		of(0, 0, "0"), of(1, 0, "0"), of(9, 0, "9"), of(10, 0, "9"), of(1<<30, 1<<30, "9"),
		of(math.MaxInt32, math.MaxInt32, "9"), of(3, 3, "345"), of(2, 3, "345"), of(2, 4, "345"), of(8, 100, "89"),
		of(0, 10, link), of(0, 0, link+"0"), of(0, 0, link+"0", "7"), of(0, 8, "x", "y", "7"), of(0, 7, "x", "y", "7"),
		of(0, 0, "78"), of(0, 3, link), of(1, 9, link), of(1, 9, link[1:]), of(1, 8, link[1:]),
		of(0, 0, "\x00"), nil, of(0, 0, "0", "0", "1"), of(0, 0, "1", "0"),
	}
	for n := range len(link) {
		compare(t, patterns, packets([]byte(link[:n]), nil, []byte(link), []byte("\x00"), []byte(link[n:])))
	}
	for _, p := range patterns {
		compare(t, []*Pattern{p}, packets([]byte(link), nil))
	}
}

func TestNoPatterns(t *testing.T) {
	for _, patterns := range [][]*Pattern{nil, {nil}, {nil, nil}} {
		d, s := open(t, patterns)
		if n, hits := d.Scan(s, packets([]byte("a"), nil), nil); n != 2 || len(hits) != 0 {
			t.Errorf("%d packets are decided with %d hits, want 2 and 0", n, len(hits))
		}
	}
}

func TestScanKeepsWhatFits(t *testing.T) {
	patterns := []*Pattern{
		{Strings: [][]byte{[]byte("a")}}, {Strings: [][]byte{[]byte("b")}}, {Strings: [][]byte{[]byte("a")}},
	}
	d, s := open(t, patterns)
	pkts := packets([]byte("ab"), []byte("b"), []byte("x"), []byte("ba"))
	before := []Hit{{77, 77}}
	for room, want := range []int{0, 0, 0, 1, 3, 3, 3, 4, 4} {
		hits := append(make([]Hit, 0, 1+room), before...)
		n, out := d.Scan(s, pkts, hits)
		if n != want || cap(out) != cap(hits) || out[0] != before[0] {
			t.Errorf("with room for %d hits %d packets are decided, want %d", room, n, want)
		}
		if got, want := sorted(out[1:]), naiveHits(patterns, pkts[:n]); !slices.Equal(got, want) {
			t.Errorf("with room for %d: %v, want %v", room, got, want)
		}
	}
}

func TestEqualPatternsAreSearchedOnce(t *testing.T) {
	a, b := []byte("abc"), []byte("defghijklmno")
	patterns := []*Pattern{{Strings: [][]byte{a, b}}, {Strings: [][]byte{b, a, b}}, {Strings: [][]byte{a}}, {Strings: [][]byte{a, b}, Depth: 90}}
	d, _ := open(t, patterns)
	got := d.Stats()
	if got.Members != 4 || got.Patterns != 3 || got.Strings != 2 || got.Bytes == 0 {
		t.Errorf("%+v, want 4 members, 3 patterns, 2 strings", got)
	}
}

func TestWrongPatterns(t *testing.T) {
	long := bytes.Repeat([]byte("a"), MaxBytes/2)
	for _, c := range []struct {
		patterns []*Pattern
		want     string
	}{
		{[]*Pattern{nil, {}}, "pattern 1: it has no strings"},
		{[]*Pattern{{Strings: [][]byte{{}}}}, "empty"},
		{[]*Pattern{{Strings: [][]byte{{1}}, Offset: -1}}, "offset -1"},
		{[]*Pattern{{Strings: [][]byte{{1}}, Depth: 1 << 31}}, "depth 2147483648"},
		{[]*Pattern{{Strings: [][]byte{long}}, {Strings: [][]byte{long}, Offset: 1}}, "more than"},
		{[]*Pattern{{Strings: slices.Repeat([][]byte{{1}}, MaxStrings+1)}}, "more than"},
	} {
		if _, err := New(c.patterns); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}
