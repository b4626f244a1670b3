package content

import (
	"bytes"
	"encoding/binary"
)

// needleLen is the maximum length of a needle. libhs finds strings of up to
// eight bytes directly. It must verify longer ones, all that end in the same
// eight bytes: strings made for that purpose would cost milliseconds per
// packet.
const needleLen = 8

// maxPlaces is how many positions in a string are tried for its needle.
const maxPlaces = 64

// A needle is the part of a string that libhs searches for. Several strings may
// share a needle.
type needle struct {
	text         []byte
	first, count uint32 // its entries
}

// findNeedles selects a needle for each string and returns the indexes of the
// needles. A short string is its own needle. In a longer string it is the part
// that the fewest strings have, so that a common suffix like ".example.com" is
// not shared by many; among equals, the part with the most different bytes,
// because packets are full of zeros and blanks.
//
// Vectorscan, and Hyperscan since 5.4.1, treat a literal that starts with a NUL
// as empty. Needles therefore start after the NULs. A string of NULs only has a
// single NUL as needle, which the machine finds without libhs.
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

// places returns how many parts of text may become its needle.
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

// isNUL reports whether n is the needle of strings that consist of NULs.
func (n needle) isNUL() bool { return n.text[0] == 0 }

// needleIn returns the position of the needle in text. If there are several,
// any of them will do, because all occurrences are found.
func needleIn(text, needle []byte) int { return bytes.Index(text, needle) }
