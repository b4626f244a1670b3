package main

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// frameSize is that of the packets for many flows and programs, in bytes.
const frameSize = 1460

// Offsets in the frames of testnet.UDP.
const (
	udpDstPort = 14 + 20 + 2
	udpSum     = 14 + 20 + 6
	udpPayload = 14 + 20 + 8
)

// datagrams returns frames of UDP with random lower-case letters, no checksum and room for
// what traffic writes into them.
func datagrams(size int) [][]byte {
	all := make([][]byte, 2*testnet.MaxBatch) // a batch must not have one twice
	random := rand.New(rand.NewPCG(3, 5))
	for i := range all {
		all[i] = testnet.UDP(uint64(i), size)
		clear(all[i][udpSum : udpSum+2])
		for at := udpPayload; at < size; at++ {
			all[i][at] = 'a' + byte(random.UintN(26))
		}
	}
	return all
}

// traffic is packets of which the members of a subject must get some.
type traffic struct {
	mark func(frame []byte)            // see stream; may be nil
	want func(arrived uint64) []uint64 // what each must have got of all packets so far
}

// oneIn has each of n programs get one packet in so many.
func oneIn(period uint64, n int) traffic {
	want := make([]uint64, n)
	return traffic{want: func(arrived uint64) []uint64 {
		for i := range want {
			want[i] = arrived / period
		}
		return want
	}}
}

// toPorts has flow i get those to port i, of n ports that packets go to in turn, neighbours
// far apart.
func toPorts(flows, ports int) traffic {
	const far = 7919 // a prime: all ports come
	sent, next := make([]uint64, ports), 0
	return traffic{
		mark: func(frame []byte) {
			next = (next + far) % ports
			sent[next]++
			binary.BigEndian.PutUint16(frame[udpDstPort:], uint16(1+next))
		},
		want: func(uint64) []uint64 { return sent[:flows] },
	}
}

// withWords has program i get those with word i; one packet in 1,000 has a word.
func withWords(words []string) traffic {
	const period, place = 1000, udpPayload + 700
	sent, next := make([]uint64, len(words)), 0
	none := strings.Repeat("z", tracegen.StringLength)
	return traffic{
		mark: func(frame []byte) {
			word := none
			if next++; next%period == 0 {
				i := next / period % len(words)
				word = words[i]
				sent[i]++
			}
			copy(frame[place:], word)
		},
		want: func(uint64) []uint64 { return sent },
	}
}
