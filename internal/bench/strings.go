package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"gomapi/internal/bench/plot"
	"gomapi/internal/tracegen"
)

// stringLength is that of the paper's strings.
const stringLength = 8

func stringCall(s string) call { return call{"STR_SEARCH", []any{s, 0, 0}} }

// strings measures many searches on the capture file: each flow has a string of its
// own. One in ten occurs in the file.
func (b *bench) strings(ctx context.Context) (string, error) {
	var trials []*trial
	for _, n := range b.searches {
		progress("%d flows of the file, a string each", n)
		t, err := b.stringTrial(n)
		if err == nil {
			err = b.try(ctx, t)
		}
		if err != nil {
			return "", fmt.Errorf("%d flows with a string each: %w", n, err)
		}
		trials = append(trials, t)
	}
	table := newTable(trialColumns...)
	for _, t := range trials {
		table.row(append([]any{len(t.calls)}, t.cells()...)...)
	}
	return section("Many strings in a file", table, trialText+
		"Each flow has STR_SEARCH with eight printable characters of its own, PKT_COUNTER, BYTE_COUNTER; one string in ten occurs in the file. "+
		"The libpcap program searches with Boyer-Moore-Horspool. All counters are those of a program that looks each eight bytes of the file up in a table.") +
		b.chart("strings-file", plot.Chart{Title: "String search: CPU time for each packet of a file", X: plot.Axis{Label: "flows, a string each", Log: true},
			Y: plot.Axis{Label: "ns a packet", Log: true}, Series: trialLines(trials)}), nil
}

// stringTrial draws the strings and counts the packets that have them.
func (b *bench) stringTrial(n int) (*trial, error) {
	t := &trial{sample: b.sampleOf(n, stringBudget), rounds: b.trialRounds(n)}
	patterns, err := drawStrings(b.trace, n, 1)
	if err != nil {
		return nil, err
	}
	for _, p := range patterns {
		t.calls = append(t.calls, stringCall(p))
		t.tasks = append(t.tasks, "s "+p)
	}
	if t.whole, err = countStrings(b.trace, patterns, b.traceLen); err != nil {
		return nil, err
	}
	t.part, err = countStrings(b.trace, patterns, t.sample)
	return t, err
}

// drawStrings returns different strings of printable characters: the first and every
// tenth cut out of the first packets of a capture file, the others random. The
// characters that STR_SEARCH treats differently are left out.
func drawStrings(path string, n int, seed uint64) ([]string, error) {
	random := rand.New(rand.NewPCG(seed, stringLength))
	found, err := cutStrings(path, (n+9)/10)
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool)
	all := make([]string, 0, n)
	for len(all) < n {
		s := randomString(random)
		if len(all)%10 == 0 {
			s, found = found[0], found[1:]
		}
		if !used[s] {
			used[s] = true
			all = append(all, s)
		}
	}
	return all, nil
}

func randomString(random *rand.Rand) string {
	var s [stringLength]byte
	for i := range s {
		for s[i] = 0; !plain(s[i]); {
			s[i] = ' ' + byte(random.UintN('~'-' '+1))
		}
	}
	return string(s[:])
}

// plain reports whether STR_SEARCH takes a character as it is.
func plain(c byte) bool { return c > ' ' && c <= '~' && c != '|' && c != '\\' }

// cutStrings returns n different strings of the packets of a file, one of each that
// has one behind its headers, more than n when there are that many.
func cutStrings(path string, n int) (all []string, err error) {
	const headers = 80
	used := make(map[string]bool)
	err = eachFrame(path, math.MaxInt, func(frame []byte) bool {
		run := 0
		for i := headers; i < len(frame); i++ {
			if run++; !plain(frame[i]) {
				run = 0
			}
			s := string(frame[max(0, i+1-stringLength) : i+1])
			if run == stringLength && !used[s] {
				used[s] = true
				all = append(all, s)
				break
			}
		}
		return len(all) < 2*n
	})
	if err == nil && len(all) < n {
		err = fmt.Errorf("%s has text in %d packets only", path, len(all))
	}
	return all, err
}

// countStrings counts the packets of a file that contain each string, all of eight
// bytes: it looks up each eight bytes of each packet.
func countStrings(path string, patterns []string, packets int) ([]tracegen.Count, error) {
	index := make(map[uint64]int, len(patterns))
	var may [1 << 16]bool // by the first two bytes
	for i, p := range patterns {
		index[binary.BigEndian.Uint64([]byte(p))] = i
		may[binary.BigEndian.Uint16([]byte(p))] = true
	}
	counts := make([]tracegen.Count, len(patterns))
	last := make([]int, len(patterns)) // packet that has counted, from 1 on
	packet := 0
	err := eachFrame(path, packets, func(frame []byte) bool {
		packet++
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
		return true
	})
	return counts, err
}
