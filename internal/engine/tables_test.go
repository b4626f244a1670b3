package engine

import (
	"encoding/binary"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/account"
	"gomapi/internal/mapierr"
)

// A table forgets what is old, whatever the batches are, and its memory is the user's.
func TestTableOfAFunction(t *testing.T) {
	var pkts []drivers.Packet
	start := udp(53, 0).TS + 60<<32
	for i := range 3000 {
		p := udp(53, uint32(i))
		binary.BigEndian.PutUint32(p.Link[26:], 1+uint32(i))
		p.TS = start + uint64(i)<<25 // 128 a second: 1280 in 10 seconds
		pkts = append(pkts, p)
	}
	for _, size := range []int{1, 7, 256} {
		b := newBed(t, flibtest.Library())
		c := b.client(5)
		before := c.taken(account.Memory)
		fd, results := c.connected(fn("TALKERS"))
		for i := 0; i < len(pkts); i += size {
			b.source.Send(pkts[i:min(i+size, len(pkts))]...)
		}
		wantCount(t, "addresses", results[0], 1280)
		if c.taken(account.Memory) <= before {
			t.Error("the table is nobody's")
		}
		later := udp(53, 0)
		later.TS = pkts[len(pkts)-1].TS + 10<<32
		b.source.Send(later) // has no address
		wantCount(t, "addresses later", results[0], 0)
		wantCode(t, "close", c.CloseFlow(fd), 0)
		if n := c.taken(account.Memory) - before; n != 0 {
			t.Errorf("%d bytes are not given back", n)
		}
	}
}

// A user gets no more memory for tables than the limit, and gets it back from a function that
// forgets it.
func TestQuotaOfTables(t *testing.T) {
	var refused error
	greedy := maker("GREEDY", func(env flib.Env) (flib.Function, error) {
		q := env.Quota()
		for refused = nil; refused == nil; {
			refused = q.Charge(64 << 20)
		}
		return &script{}, nil
	})
	b := newBed(t, greedy)
	c := b.client(5)
	before := c.taken(account.Memory)
	fd, _ := c.connected(fn("GREEDY"))
	wantCode(t, "too much", refused, mapierr.Memory)
	if n, most := c.taken(account.Memory), b.engine.opts.Accounts.Limits()[account.Memory].User; n <= most-64<<20 || n > most {
		t.Errorf("%d bytes are taken of %d", n, most)
	}
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if n := c.taken(account.Memory) - before; n != 0 {
		t.Errorf("%d bytes are not given back", n)
	}
}

// Each packet may ask a quota that refuses, so a refusal after the first one makes no garbage.
// Later there may be memory again.
func TestRefusalsMakeNoGarbage(t *testing.T) {
	c := newBed(t).client(5)
	q := &stateQuota{user: c.user}
	if mapierr.CodeOf(q.Charge(1<<50), 0) != mapierr.Memory {
		t.Fatal("too much is given")
	}
	if n := testing.AllocsPerRun(100, func() {
		if q.Charge(1<<50) == nil {
			t.Error("too much is given later")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a refusal", n)
	}
	if err := q.Charge(1000); err != nil || q.charged.Load() != 1000 {
		t.Errorf("%v; %d bytes are charged", err, q.charged.Load())
	}
	q.Release(1000)
}
