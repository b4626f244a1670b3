package tracegen

import (
	"encoding/binary"
	"iter"
	"math"
	"regexp"
)

// StringLength is that of all strings made here, in bytes.
const StringLength = 8

// Frames makes the packets of the file that Write makes of the same arguments, from the
// Ethernet header on. A frame is valid for one turn.
func Frames(packets int, seed uint64) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		g := newGenerator(seed)
		for range packets {
			if !yield(g.packet()[recordLen:]) {
				return
			}
			g.gap()
		}
	}
}

// plain characters are printable and STR_SEARCH takes them as they are, so not | and \.
var plain = regexp.MustCompile(`[!-\[\]-{}~]{8}`)

// Strings returns n different strings of plain characters: the first and every tenth cut
// out of packets of the file behind their headers, the others random.
func Strings(n int, seed uint64) (all []string) {
	const headers = 80
	r, used := newRandom(^seed), make(map[string]bool) // not the numbers that payloads are made of
	for frame := range Frames(math.MaxInt, seed) {
		if len(all) == n {
			break
		}
		from := frame[min(headers, len(frame)):]
		if len(all)%10 > 0 {
			from = r.text(StringLength)
		}
		if s := string(plain.Find(from)); s != "" && !used[s] {
			used[s] = true
			all = append(all, s)
		}
	}
	return all
}

// CountStrings counts the packets of the file that contain each string: it looks up each
// eight bytes of each packet.
func CountStrings(all []string, packets int, seed uint64) []Count {
	index := make(map[uint64]int, len(all))
	var may [1 << 16]bool // by the first two bytes
	for i, s := range all {
		index[binary.BigEndian.Uint64([]byte(s))] = i
		may[binary.BigEndian.Uint16([]byte(s))] = true
	}
	counts := make([]Count, len(all))
	last := make([]int, len(all)) // packet that has counted, from 1 on
	packet := 0
	for frame := range Frames(packets, seed) {
		packet++
		for at := 0; at+StringLength <= len(frame); at++ {
			if !may[binary.BigEndian.Uint16(frame[at:])] {
				continue
			}
			i, ok := index[binary.BigEndian.Uint64(frame[at:])]
			if ok && last[i] != packet {
				last[i] = packet
				counts[i].Packets++
				counts[i].Bytes += uint64(len(frame))
			}
		}
	}
	return counts
}
