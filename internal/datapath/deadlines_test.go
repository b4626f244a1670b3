package datapath

import (
	"fmt"
	"testing"

	"gomapi/internal/bpf"
	"gomapi/internal/chain"
	"gomapi/internal/segment"
)

// never is a filter that matches nothing.
type never struct{ process }

func (never) Program(uint16) *bpf.Program { return nil }

// waiting makes a loop with a chain that counts, and n chains that get no packets. Each of them has
// a deadline far away, if deadlines is set.
func waiting(t testing.TB, n int, deadlines bool) (*Loop, *counter) {
	l := New(Options{LinkType: 1})
	l.Run()
	var candidates []segment.Candidate
	add := func(functions ...*chain.Instance) {
		c := chainOf(int64(len(candidates)), functions...)
		l.Connect(c, false)
		candidates = append(candidates, segment.Candidate{Chain: c, CaughtUp: true})
	}
	count := &counter{}
	add(of(count))
	for range n {
		filter := of(never{})
		filter.Classifier = never{}
		behind := of(&counter{})
		if deadlines {
			behind = of(&alarm{at: 1 << 50})
		}
		add(filter, behind)
	}
	l.Merge(segment.Build(candidates, []uint16{1}, t.Logf), nil)
	return l, count
}

// Ten thousand functions that wait cost nothing per batch until the first of them is due.
func TestManyDeadlines(t *testing.T) {
	const n = 10_000
	l, count := waiting(t, n, true)
	pkts := packets(64)
	l.Batch(pkts)
	moves := l.host.HeapMoves()
	for range 1000 {
		l.Batch(pkts)
	}
	if got := l.host.HeapMoves(); got != moves || l.host.Deadline() != 1<<50 {
		t.Errorf("%d moves of the heap, the first deadline is %d", got-moves, l.host.Deadline())
	}
	if count.total.Load() != 1001*64 {
		t.Errorf("%d packets counted", count.total.Load())
	}
	pkts[63].TS = 1 << 50
	if l.Batch(pkts); l.host.HeapMoves()-moves < n {
		t.Errorf("%d moves when all are due", l.host.HeapMoves()-moves)
	}
}

// BenchmarkDeadlines measures a batch of 64 packets for a counting flow, beside 10,000 flows without
// packets that wait for a moment, or not.
func BenchmarkDeadlines(b *testing.B) {
	for _, deadlines := range []bool{false, true} {
		b.Run(fmt.Sprintf("deadlines=%v", deadlines), func(b *testing.B) {
			l, _ := waiting(b, 10_000, deadlines)
			pkts := packets(64)
			b.ReportAllocs()
			for b.Loop() {
				l.Batch(pkts)
			}
		})
	}
}
