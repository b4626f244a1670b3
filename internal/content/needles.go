package content

import (
	"bytes"
	"encoding/binary"
)

// needleLen is the greatest length of a needle. libhs finds strings of up to
// eight bytes directly and has to look at longer ones again, at all of them that
// end in the same eight: strings made for that would cost it milliseconds a packet.
const needleLen = 8

// maxPlaces is how many places of a string are tried for its needle.
const maxPlaces = 64

// A needle is the piece of a string that is looked for. Strings may have one in
// common.
type needle struct {
	text         []byte
	first, count uint32 // its entries
}

// findNeedles picks a needle for each string and returns their indexes. A short
// string is its own needle. In a longer one it is the piece that the fewest
// strings have, so that a common end like ".example.com" makes no crowd; among those,
// one of many different bytes, as packets are full of zeros and blanks.
//
// Vectorscan, and Hyperscan since 5.4.1, take a literal that begins with a NUL for
// an empty one. So
// needles begin behind the NULs, but for strings of nothing else: their needle is
// one NUL, which the machine finds without libhs.
func (s *set) findNeedles() []uint32 {
	shared := make(map[uint64]int)
	for _, text := range s.strings {
		for at := range places(text) {
			shared[binary.NativeEndian.Uint64(text[at:])]++
		}
	}
	of := make([]uint32, len(s.strings))
	index := make(map[string]uint32)
	for i, text := range s.strings {
		piece := rarest(text, shared)
		id, known := index[string(piece)]
		if !known {
			id = uint32(len(s.needles))
			index[string(piece)] = id
			s.needles = append(s.needles, needle{text: piece})
		}
		of[i] = id
	}
	return of
}

// places returns how many pieces of needleLen of text may become its needle.
func places(text []byte) int {
	return min(max(len(text)-needleLen+1, 0), maxPlaces)
}

// rarest returns the best needle of text.
func rarest(text []byte, shared map[uint64]int) (best []byte) {
	fewest, most := 0, 0
	for at := range places(text) {
		piece := text[at : at+needleLen]
		if piece[0] == 0 {
			continue
		}
		n, v := shared[binary.NativeEndian.Uint64(piece)], variety(piece)
		if best == nil || n < fewest || n == fewest && v > most {
			best, fewest, most = piece, n, v
		}
	}
	if best != nil {
		return best
	}
	if best = bytes.TrimLeft(text, "\x00"); len(best) > 0 {
		return best
	}
	return text[:1]
}

// variety returns the number of different bytes.
func variety(b []byte) (n int) {
	var seen [4]uint64
	for _, c := range b {
		if bit := uint64(1) << (c % 64); seen[c/64]&bit == 0 {
			seen[c/64] |= bit
			n++
		}
	}
	return n
}

// isNUL reports whether n is the needle of strings that are nothing but NULs.
func (n needle) isNUL() bool { return n.text[0] == 0 }

// needleIn returns where the needle stands in text. It may stand there more than
// once: then one place is as good as another, as all are found.
func needleIn(text, needle []byte) int { return bytes.Index(text, needle) }
