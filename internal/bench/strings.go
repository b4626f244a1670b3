package main

import (
	"encoding/binary"
	"math/rand/v2"
	"regexp"
	"slices"

	"gomapi/internal/tracegen"
)

// stringLength is that of all strings, in bytes.
const stringLength = 8

// plain characters are printable and STR_SEARCH takes them as they are, so not | and \.
var plain = regexp.MustCompile(`[!-\[\]-{}~]{8}`)

// drawStrings returns n different strings of plain characters: the first and every tenth
// cut out of packets of the file behind their headers, the others random.
func drawStrings(path string, n int) (all []string) {
	const headers = 80
	used := make(map[string]bool)
	add := func(s []byte) {
		if s != nil && !used[string(s)] {
			used[string(s)] = true
			all = append(all, string(s))
		}
	}
	random := rand.New(rand.NewPCG(1, stringLength))
	for frame := range frames(path) {
		if len(all) >= n {
			return all
		}
		if len(all)%10 == 0 {
			add(plain.Find(frame[min(headers, len(frame)):]))
			continue
		}
		s := make([]byte, stringLength)
		for i := range s {
			s[i] = '!' + byte(random.UintN('~'-'!'+1))
		}
		add(plain.Find(s))
	}
	fail("%s has text in too few packets for %d strings", path, n)
	return nil
}

// countStrings counts the packets, among the first of a file, that contain each string: it
// looks up each eight bytes of each packet.
func countStrings(path string, all []string, packets int) []tracegen.Count {
	index := make(map[uint64]int, len(all))
	var may [1 << 16]bool // by the first two bytes
	for i, s := range all {
		index[binary.BigEndian.Uint64([]byte(s))] = i
		may[binary.BigEndian.Uint16([]byte(s))] = true
	}
	counts := make([]tracegen.Count, len(all))
	last := make([]int, len(all)) // packet that has counted, from 1 on
	packet := 0
	for frame := range frames(path) {
		if packet++; packet > packets {
			break
		}
		for at := 0; at+stringLength <= len(frame); at++ {
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

// randomWords returns n different words of lower-case letters behind a capital, which
// datagrams have in no payload.
func randomWords(n int) (all []string) {
	random := rand.New(rand.NewPCG(3, 5))
	for len(all) < n {
		w := letters(random, make([]byte, stringLength))
		w[0] -= 'a' - 'A'
		if !slices.Contains(all, string(w)) {
			all = append(all, string(w))
		}
	}
	return all
}

// letters fills b with random lower-case letters.
func letters(random *rand.Rand, b []byte) []byte {
	for i := range b {
		b[i] = 'a' + byte(random.UintN(26))
	}
	return b
}
