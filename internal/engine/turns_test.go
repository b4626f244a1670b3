package engine

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gomapi/internal/compact"
	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
)

// Two users flood the real compiler with filters that keep it busy until they give up. A third one
// gets a filter meanwhile.
func TestFloodOfFilters(t *testing.T) {
	b := newBed(t)
	helper := filter.NewHelper(filter.HelperOptions{Timeout: testenv.Patience})
	defer helper.Close()
	b.engine.opts.Compiler = helper
	slow := strings.Repeat("host 1.2.3.4 or ", 2000) + "ip"
	flooding, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	var floods sync.WaitGroup
	var over atomic.Int32
	for i := range uint32(8) {
		c := b.client(5 + i%2)
		fd, _ := c.flow()
		floods.Go(func() {
			_, err := c.Apply(flooding, fd, "BPF_FILTER", []any{slow})
			over.Add(1)
			wantCode(t, "a filter that was given up", err, mapierr.PcapOpenDead)
		})
	}
	b.until("three filters are being compiled", func() bool {
		return b.engine.turns.compiling.Held() == filter.MaxChildren-1
	})
	b.client(7).flow(fn("BPF_FILTER", "udp dst port 53"))
	if n := over.Load(); n != 0 {
		t.Errorf("the third user has waited for %d filters of the others", n)
	}
	giveUp()
	floods.Wait()
	if mine, others := b.engine.CompileTime("user 7"), b.engine.CompileTime("user 5"); others == 0 || mine == 0 {
		t.Errorf("the time used is %v and %v", mine, others)
	}
}

// The users of new flows pay for the building of a live device's segments, and nobody pays for
// flows that are built once more.
func TestWhoPaysForBuilding(t *testing.T) {
	b := newBed(t)
	old, fresh := b.client(5), b.client(6)
	for range 2 * compact.MaxUnmerged {
		old.connected(fn("PKT_COUNTER"))
	}
	b.merged()
	paid := b.engine.CompileTime("user 5")
	if paid == 0 || b.engine.CompileTime("user 6") != 0 {
		t.Errorf("the time used is %v and %v", paid, b.engine.CompileTime("user 6"))
	}
	for range 2 * compact.MaxUnmerged {
		fresh.connected(fn("PKT_COUNTER"))
	}
	b.merged()
	if now := b.engine.CompileTime("user 5"); now > paid || b.engine.CompileTime("user 6") == 0 {
		t.Errorf("the time used is %v, was %v, and %v", now, paid, b.engine.CompileTime("user 6"))
	}
}
