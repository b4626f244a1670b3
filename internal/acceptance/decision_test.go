package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// newSeed returns a different seed in each run; MAPI_SEED repeats one.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("MAPI_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("MAPI_SEED=%d", seed)
	return seed
}

// A step is a function of a flow, with the packets of a trace that pass it
// according to a judge. Without a judge all packets pass.
type step struct {
	call
	lets set
}

func (s step) counts() bool { return strings.HasSuffix(s.name, "_COUNTER") }

// A chain is the steps of a flow.
type chain []step

func (c chain) String() string {
	var b strings.Builder
	for _, s := range c {
		fmt.Fprintf(&b, "%s%.200q ", s.name, s.args)
	}
	return b.String()
}

// A counter is a counting function of a flow, with its expected count.
type counter struct {
	*mapi.Function
	sees  set // packets of the trace that reach it; nil: all
	bytes bool
	want  uint64
}

// A party is a flow with known counts.
type party struct {
	flow     *mapi.Flow
	chain    chain
	counters []*counter
}

// newParty creates the flow of a chain, not connected.
func newParty(ctx context.Context, c *mapi.Client, device string, steps chain) (*party, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	p := &party{flow: f, chain: steps}
	var sees set
	for _, s := range steps {
		fn, err := f.Apply(ctx, s.name, s.args...)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", steps, err)
		}
		if s.counts() {
			p.counters = append(p.counters, &counter{Function: fn, sees: sees, bytes: s.name == "BYTE_COUNTER"})
		}
		sees = sees.and(s.lets)
	}
	return p, nil
}

// and returns the intersection of two sets; nil stands for all packets.
func (a set) and(b set) set {
	if a == nil || b == nil {
		return append(a, b...)
	}
	both := make(set, len(a))
	for i := range a {
		both[i] = a[i] && b[i]
	}
	return both
}

// see adds packets of a trace to the expected counts of the flow.
func (p *party) see(tr *trace, packets []int) {
	for _, c := range p.counters {
		for _, i := range packets {
			switch {
			case c.sees != nil && !c.sees[i]:
			case c.bytes:
				c.want += uint64(tr.packets[i].Wire)
			default:
				c.want++
			}
		}
	}
}

// check compares all counters with their expected counts.
func (p *party) check() error {
	for i, c := range p.counters {
		if n, err := c.Uint64(); n != c.want || err != nil {
			return fmt.Errorf("flow %d: counter %d has %d, %v, want %d: %v", p.flow.FD(), i, n, err, c.want, p.chain)
		}
	}
	return nil
}

// runFile runs a capture through chains concurrently, and returns how many
// packets reached their ends, where each has a PKT_COUNTER and a BYTE_COUNTER.
// merged says whether all chains are merged first.
func runFile(t *testing.T, client *mapi.Client, path string, tr *trace, chains []chain, merged bool) (counted uint64) {
	t.Helper()
	ctx := t.Context()
	d, err := client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	must(t, err)
	all := make([]int, len(tr.packets))
	for i := range all {
		all[i] = i
	}
	var parties []*party
	for _, steps := range chains {
		p, err := newParty(ctx, client, d.Name(), steps)
		must(t, err)
		must(t, p.flow.Connect(ctx))
		p.see(tr, all)
		parties = append(parties, p)
	}
	if merged {
		decidedTogether(t, client, d.Name(), nil)
	}
	must(t, d.Start(ctx))
	must(t, d.Wait(ctx))
	balanced(t, client, d.Name())
	for _, p := range parties {
		if err := p.check(); err != nil {
			t.Error(err)
		}
		counted += p.counters[len(p.counters)-2].want
	}
	must(t, d.Delete(ctx))
	return counted
}

// decidedTogether waits until all flows of a device are decided together, which may take
// seconds. Meanwhile it calls meanwhile, unless that is nil.
func decidedTogether(t *testing.T, c *mapi.Client, device string, meanwhile func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	for tick := time.Tick(time.Millisecond); ; { // no event announces it
		b, err := c.Books(ctx, device)
		if err != nil {
			t.Fatal(err)
		}
		if note(t, b, books.Unmerged) == 0 {
			return
		}
		if meanwhile != nil {
			meanwhile()
		}
		<-tick
	}
}

// note returns a note in the books of a device.
func note(t *testing.T, b mapi.Books, name string) uint64 {
	t.Helper()
	return line(t, mapi.Books{Out: b.Notes}, name)
}
