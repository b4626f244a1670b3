package content

import "testing"

// fuzzed converts b to patterns. Each consists of an offset, a depth, a number
// of strings, and the strings preceded by their lengths.
func fuzzed(b []byte) (patterns []*Pattern) {
	next := func(n int) []byte {
		n = min(n, len(b))
		head := b[:n:n]
		b = b[n:]
		return head
	}
	for len(b) > 3 && len(patterns) < 50 {
		head := next(3)
		p := &Pattern{Offset: int(head[0] % 64), Depth: int(head[1] % 64)}
		for range 1 + head[2]%3 {
			if len(b) < 2 {
				break
			}
			if s := next(1 + int(next(1)[0]%24)); len(s) > 0 {
				p.Strings = append(p.Strings, s)
			}
		}
		if len(p.Strings) == 0 {
			p = nil
		}
		patterns = append(patterns, p)
	}
	return patterns
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02abc\x03\x09\x01\x00b\x01ca"), []byte("xxabcxbca"))
	f.Add([]byte("\x00\x00\x00\x0aaaaaaaaaaab\x00\x00\x00\x09aaaaaaaaaa"), []byte("aaaaaaaaaaaaaaaaaaab"))
	f.Add([]byte("\x00\x00\x02\x00\x00\x01\x00\x00\x03\x00\x00\x00a"), []byte("\x00\x00\x00\x00a\x00"))
	f.Fuzz(func(t *testing.T, b, link []byte) {
		if patterns := fuzzed(b); len(patterns) > 0 && len(link) < 4096 {
			compare(t, patterns, packets(link, link[len(link)/2:]))
		}
	})
}
