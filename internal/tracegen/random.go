package tracegen

import "math/rand/v2"

// A random returns numbers that depend on the seed only. The source is that of
// the standard library, whose sequence is fixed; this package derives the
// numbers from it.
type random struct{ src *rand.PCG }

func newRandom(seed uint64) random {
	return random{rand.NewPCG(seed, 0x6d617069)}
}

// below returns a number from 0 to n-1.
func (r random) below(n int) int {
	return int(r.src.Uint64() >> 32 * uint64(n) >> 32)
}

// between returns a number from lo to hi.
func (r random) between(lo, hi int) int { return lo + r.below(hi-lo+1) }

// percent is true with a probability of p percent.
func (r random) percent(p int) bool { return r.below(100) < p }

func (r random) u32() uint32 { return uint32(r.src.Uint64() >> 32) }

// binary returns n random bytes.
func (r random) binary(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.u32())
	}
	return b
}

// text returns n printable bytes in lines.
func (r random) text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.between(' ', '~'))
	}
	for i := 70; i+1 < n; i += r.between(20, 100) {
		b[i], b[i+1] = '\r', '\n'
	}
	return b
}
