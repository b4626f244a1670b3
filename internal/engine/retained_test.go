package engine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"gomapi/internal/testenv"
)

// TestClosedFlowsKeepLittle closes flows with large texts, for which nobody is charged any more,
// beside flows that stay. The loop may hold the last plan until packets come.
func TestClosedFlowsKeepLittle(t *testing.T) {
	b := newBed(t)
	client := b.client(5)
	for range 100 {
		client.addFlow([][]any{{"PKT_COUNTER"}})
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, pattern := heap(), strings.Repeat("needle||", 900)
	for i := range 40 {
		var calls [][]any
		for j := range 50 {
			calls = append(calls, []any{"STR_SEARCH", fmt.Sprint(pattern, i, "/", j), 0, 0})
		}
		client.addFlow(calls)
		if err := client.CloseFlow(100 + int32(i) + 1); err != nil {
			t.Fatal(err)
		}
	}
	const most = 16 << 20 // 84 MB are closed
	testenv.Until(t, "closed flows to be forgotten", func() bool { return heap()-before < most })
}
