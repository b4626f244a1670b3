package acceptance

import (
	"bytes"
	"fmt"
	"testing"
)

// TestSearchEveryPlace has a few flows that search for short strings at every
// position of packets of many lengths. libhs has special code for few strings,
// for the ends of the scanned data, and for data longer than a register.
func TestSearchEveryPlace(t *testing.T) {
	client := start(t).client()
	for _, texts := range [][]string{{"a"}, {"a", "b"}, {"a", "ab"}, {"a", "ba"}, {"cb", "aabaaaba"}, {"bddb", "dacbb", "cabddbba", "cbbaba"}} {
		t.Run(fmt.Sprint(texts), func(t *testing.T) {
			var frames [][]byte
			for length := 60; length < 200; length += 7 {
				for at := 40; at < length-8; at++ {
					frame := bytes.Repeat([]byte{'x'}, length)
					copy(frame[at:], texts[at%len(texts)])
					frames = append(frames, frame)
				}
			}
			path := saveFrames(t, frames)
			tr := traceOf(t, path)
			var chains []chain
			for _, text := range texts {
				s := tr.searching(quest{alternatives: [][]byte{[]byte(text)}})
				chains = append(chains, chain{s, packetCounter, byteCounter})
			}
			runFile(t, client, path, tr, chains, true)
		})
	}
}
