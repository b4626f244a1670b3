package main

import (
	"context"
	"strings"

	"gomapi/internal/bench/plot"
	"gomapi/internal/testnet"
)

// searching measures programs that search each its own string.
func (b *bench) searching(ctx context.Context, ns *testnet.NS) (string, error) {
	most := 1
	for _, n := range b.searchers {
		most = max(most, n)
	}
	words := newLetters().words(most)
	rows, err := b.compete(ctx, newRoad(ns), team{
		name: "searching", sizes: b.searchers,
		args: func(i int) []string { return []string{"-string", words[i]} },
		task: func(i int) string { return "s " + words[i] },
		load: func(programs int) teamLoad { return newWordLoad(words[:programs]).teamLoad() },
	})
	if err != nil {
		return "", err
	}
	return section("Searching programs", teamTable(rows), teamText+
		"Each program searches eight characters of its own, which one packet in 1,000 has for one of them, and takes the packets that have them: STR_SEARCH and TO_BUFFER; "+
		"with libpcap it gets all packets and searches them with Boyer-Moore-Horspool.", b.streamLength, b.longRounds) +
		b.breaking(rows) + b.chart("searching-idle", plot.Chart{Title: "Searching programs: processors' idle time", X: plot.Axis{Label: "programs", Log: true},
		Y: plot.Axis{Label: "idle, %", Max: 100}, Series: b.teamLines(rows, func(s *teamSide) []float64 { return s.idle })}), nil
}

// wordLoad puts words into some packets, and counts them.
type wordLoad struct {
	words []string
	noise string // what stands in the place of a word
	next  int
	sent  []uint64 // by word
}

func newWordLoad(words []string) *wordLoad {
	return &wordLoad{words: words, noise: strings.Repeat("z", stringLength), sent: make([]uint64, len(words))}
}

func (l *wordLoad) teamLoad() teamLoad {
	return teamLoad{touch: l.touch, want: func(uint64) []uint64 { return l.sent }}
}

func (l *wordLoad) touch(frame []byte) {
	const one, place = 1000, udpPayload + 700
	word := l.noise
	if l.next++; l.next%one == 0 {
		i := l.next / one % len(l.words)
		word = l.words[i]
		l.sent[i]++
	}
	copy(frame[place:], word)
}
