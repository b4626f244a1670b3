package stdflib

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gomapi/internal/content"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// patterns are the forms of the language, most of them from the original's documents. A
// pattern without alternatives has an error number.
var patterns = []struct {
	text string
	want []string
	code mapierr.Code
}{
	{text: "abcd", want: []string{"abcd"}},
	{text: "|61 62 63 64|", want: []string{"abcd"}},
	{text: "|61626364|", want: []string{"abcd"}},
	{text: "ab|63 64|", want: []string{"abcd"}},
	{text: "|61|b|63|d", want: []string{"abcd"}},
	{text: "|61|b|6364|", want: []string{"abcd"}},
	{text: "abcd||defg", want: []string{"abcd", "defg"}},
	{text: "abcd|||65 66 67 68|||ijkl", want: []string{"abcd", "efgh", "ijkl"}},
	{text: "|61||62|", want: []string{"ab"}},
	{text: "|61||||62|", want: []string{"a", "b"}},
	{text: "|61|||62|", code: mapierr.StrSearchPipe},
	{text: "a||", want: []string{"a"}},
	{text: "||a", want: []string{"a"}},
	{text: "a||||b", want: []string{"a", "b"}},
	{text: "||", code: mapierr.StrSearchPattern},
	{text: "|6|", code: mapierr.StrSearchPattern},
	{text: "|616|", code: mapierr.StrSearchPattern},
	{text: "a|b", code: mapierr.StrSearchPipe},
	{text: "|61|b|6364", code: mapierr.StrSearchPipe},
	{text: `a\|b`, want: []string{"a|b"}},
	{text: `a\\b`, want: []string{`a\b`}},
	{text: `\\|41|`, want: []string{`\A`}},
	{text: "|00 00|E|00 00|E|00 00|@|00|", want: []string{"\x00\x00E\x00\x00E\x00\x00@\x00"}},

	{text: "|", code: mapierr.StrSearchPipe},
	{text: "|||", code: mapierr.StrSearchPipe},
	{text: "| |", code: mapierr.StrSearchPattern},
	{text: "|6g|", code: mapierr.StrSearchPattern},
	{text: "|61\t62|", code: mapierr.StrSearchPattern},
	{text: `|61\|62|`, code: mapierr.StrSearchPattern},
	{text: "|6 1 6 2|", want: []string{"ab"}},
	{text: "|fFFf|", want: []string{"\xff\xff"}},
	{text: "a| |b", want: []string{"ab"}},
	{text: "a||| |||b", want: []string{"a", "b"}},
	{text: `\x`, want: []string{"x"}},
	{text: `\\\x`, want: []string{`\x`}},
	{text: `\\\|`, want: []string{`\|`}},
	{text: `\`, want: []string{`\`}},
	{text: `a\\\`, want: []string{`a\\`}},
	{text: `a\||b`, code: mapierr.StrSearchPipe},
	{text: `a\|||b`, want: []string{"a|", "b"}},
	{text: `a\||62|`, want: []string{"a|b"}},
	{text: "\xff\xfe|80|", want: []string{"\xff\xfe\x80"}},
	{text: "a||a", want: []string{"a", "a"}},
	{text: strings.Repeat("a", maxPattern), want: []string{strings.Repeat("a", maxPattern)}},
	{text: strings.Repeat("a", maxPattern+1), code: mapierr.StrSearchPattern},
	{text: strings.Repeat("a||", maxAlternatives), want: slices.Repeat([]string{"a"}, maxAlternatives)},
	{text: strings.Repeat("a||", maxAlternatives+1), code: mapierr.StrSearchPattern},
}

func TestPatternLanguage(t *testing.T) {
	for _, c := range patterns {
		got, err := alternatives(c.text)
		if c.code != 0 {
			if mapierr.CodeOf(err, 0) != c.code {
				t.Errorf("%.40q: %v, want error %d", c.text, err, int(c.code))
			}
			continue
		}
		if err != nil || !slices.Equal(texts(got), c.want) {
			t.Errorf("%.40q gives %.40q, %v, want %.40q", c.text, got, err, c.want)
		}
	}
}

func texts(alts [][]byte) []string {
	var out []string
	for _, alt := range alts {
		out = append(out, string(alt))
	}
	return out
}

func TestDepthHoldsEachAlternative(t *testing.T) {
	for depth, want := range []mapierr.Code{0, mapierr.StrSearchDepth, mapierr.StrSearchDepth, 0, 0} {
		if _, err := newPattern("a||bcd||e", 100, depth); mapierr.CodeOf(err, 0) != want {
			t.Errorf("depth %d: %v, want error %d", depth, err, int(want))
		}
	}
}

func TestWindow(t *testing.T) {
	const captured = "0123456789"
	for _, c := range []struct {
		text          string
		offset, depth int
		want          bool
	}{
		{"0", 0, 0, true},
		{"0", 1, 0, false},
		{"9", 9, 0, true},
		{"9", 10, 0, false},
		{"9", 1 << 30, 1 << 30, false},
		{"345", 3, 3, true},
		{"345", 2, 3, false},
		{"345", 2, 4, true},
		{"89", 8, 100, true},
		{captured, 0, 10, true},
		{captured + "0", 0, 0, false},
		// Here the original stops at the long alternative.
		{captured + "0||7", 0, 0, true},
		{"x||y||7", 0, 8, true},
		{"x||y||7", 0, 7, false},
		{"|37 38|", 0, 0, true},
	} {
		p, err := newPattern(c.text, c.offset, c.depth)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match([]byte(captured)); got != c.want {
			t.Errorf("%q from %d, depth %d, in %s: %v", c.text, c.offset, c.depth, captured, got)
		}
		if p.Match(nil) {
			t.Errorf("%q is found in a packet without bytes", c.text)
		}
	}
}

// TestSearchAgainstModel compares with a search that tries every place, in random packets
// of two letters, where parts of an alternative are everywhere.
func TestSearchAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	hits := 0
	const rounds = 20000
	for range rounds {
		alts := make([][]byte, 1+r.IntN(4))
		longest := 0
		for i := range alts {
			alts[i] = letters(r, 1+r.IntN(12))
			longest = max(longest, len(alts[i]))
		}
		offset, depth := r.IntN(40), 0
		if r.IntN(2) == 0 {
			depth = longest + r.IntN(20)
		}
		text := write(r, alts)
		p, err := newPattern(text, offset, depth)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !slices.EqualFunc(p.Strings, alts, bytes.Equal) {
			t.Fatalf("%q gives %q, want %q", text, p.Strings, alts)
		}
		captured := letters(r, r.IntN(100))
		want := found(captured, alts, offset, depth)
		if got := p.Match(captured); got != want {
			t.Fatalf("%q from %d, depth %d, in %q: %v, want %v", text, offset, depth, captured, got, want)
		}
		if want {
			hits++
		}
	}
	if hits < rounds/4 || hits > rounds*3/4 {
		t.Errorf("%d of %d searches are hits: the packets are badly chosen", hits, rounds)
	}
}

// letters returns n random letters, some with a meaning in the pattern language.
func letters(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = `|\`[r.IntN(2)]
	}
	return b
}

// write writes alternatives in one of the ways that the language has.
func write(r *rand.Rand, alts [][]byte) string {
	var s strings.Builder
	for i, alt := range alts {
		if i > 0 {
			s.WriteString("||")
		}
		for _, c := range alt {
			if r.IntN(2) == 0 {
				fmt.Fprintf(&s, "|%02x|", c)
			} else {
				s.Write([]byte{'\\', c})
			}
		}
	}
	return s.String()
}

// found tries every place.
func found(captured []byte, alts [][]byte, offset, depth int) bool {
	end := len(captured)
	if depth > 0 {
		end = min(end, offset+depth)
	}
	for _, alt := range alts {
	place:
		for at := offset; at+len(alt) <= end; at++ {
			for i, c := range alt {
				if captured[at+i] != c {
					continue place
				}
			}
			return true
		}
	}
	return false
}

// TestPatternsTogether finds the patterns of the table in one scan.
func TestPatternsTogether(t *testing.T) {
	var list []*content.Pattern
	pkts := []*pkt.Packet{{}, {Link: []byte("no such thing")}}
	for _, c := range patterns {
		if c.code != 0 {
			continue
		}
		for _, window := range [][2]int{{0, 0}, {3, 0}, {3, maxPattern}} {
			p, err := newPattern(c.text, window[0], window[1])
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
		for _, alt := range c.want[:min(len(c.want), 3)] {
			pkts = append(pkts, &pkt.Packet{Link: []byte(alt)}, &pkt.Packet{Link: []byte("xyz" + alt)})
		}
	}
	d, err := content.New(list)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var s content.Scratch
	defer s.Close()
	if err := s.Fit(d); err != nil {
		t.Fatal(err)
	}
	n, hits := d.Scan(&s, pkts, make([]content.Hit, 0, len(pkts)*len(list)))
	found := make(map[content.Hit]bool)
	for _, h := range hits {
		found[h] = true
	}
	if n != len(pkts) || len(found) != len(hits) {
		t.Errorf("%d of %d packets, %d hits of which %d are different", n, len(pkts), len(hits), len(found))
	}
	for i, packet := range pkts {
		for k, p := range list {
			if got, want := found[content.Hit{Packet: uint32(i), Pattern: uint32(k)}], p.Match(packet.Link); got != want {
				t.Errorf("%.40q from %d in %.40q: %v, want %v", p.Strings, p.Offset, packet.Link, got, want)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, c := range patterns {
		if len(c.text) < 100 {
			f.Add(c.text, []byte("abcd"), 0, 0)
		}
	}
	f.Add("b||cd", []byte("abcd"), 1, 2)
	f.Fuzz(func(t *testing.T, text string, captured []byte, offset, depth int) {
		if offset < 0 || depth < 0 || offset > 1<<31-1 || depth > 1<<31-1 {
			return
		}
		p, err := newPattern(text, offset, depth)
		if err != nil {
			var e *mapierr.Error
			if !errors.As(err, &e) || e.Code < mapierr.StrSearchPipe || e.Code > mapierr.StrSearchPattern {
				t.Errorf("%q: error without its number: %v", text, err)
			}
			return
		}
		for _, alt := range p.Strings {
			if len(alt) == 0 || len(alt) > len(text) {
				t.Errorf("%q gives an alternative of %d bytes", text, len(alt))
			}
		}
		// In hexadecimal it is the same pattern.
		var hex []string
		for _, alt := range p.Strings {
			hex = append(hex, fmt.Sprintf("|% x|", alt))
		}
		if s := strings.Join(hex, "||"); len(s) <= maxPattern {
			again, err := alternatives(s)
			if err != nil || !slices.EqualFunc(again, p.Strings, bytes.Equal) {
				t.Errorf("%q gives %q, but %q, %v in hexadecimal", text, p.Strings, again, err)
			}
		}
		if got, want := p.Match(captured), found(captured, p.Strings, offset, depth); got != want {
			t.Errorf("%q from %d, depth %d, in %q: %v, want %v", text, offset, depth, captured, got, want)
		}
	})
}

func BenchmarkPattern(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	packet := make([]byte, 1514)
	for i := range packet {
		packet[i] = byte(' ' + r.IntN(95))
	}
	words := make([]string, 100)
	for i := range words {
		words[i] = fmt.Sprintf("%c%c-%03d-none", 'A'+i%26, 'a'+i/26, i)
	}
	for _, c := range []struct {
		name string
		text string
	}{
		{"one", words[0]},
		{"binary", "|00 00|E|00 00|E|00 00|@|00|"},
		{"10", strings.Join(words[:10], "||")},
		{"100", strings.Join(words, "||")},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, err := newPattern(c.text, 0, 0)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(packet)))
			for b.Loop() {
				if p.Match(packet) {
					b.Fatal("found")
				}
			}
		})
	}
}
