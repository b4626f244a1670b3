package acceptance

import (
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/tracegen"
)

// together is the number of filters decided at once for each capture.
const together = 300

// TestDecideTogether counts with hundreds of filters at once on every capture
// that libpcap can read. The packets and bytes of each must equal those that
// libpcap accepts with this filter alone.
func TestDecideTogether(t *testing.T) {
	seed := newSeed(t)
	listed := append(manualFilters(t), tracegen.Filters(40, seed)...)
	client := start(t).client()
	var compared, counted atomic.Uint64
	eachTrace(t, func(t *testing.T, path string, tr *trace) {
		g := newGenerator(t, seed, path)
		chains := tr.filterings(listed, g)
		counted.Add(runFile(t, client, path, tr, chains, g.IntN(2) == 0))
		compared.Add(uint64(len(chains)))
	})
	if compared.Load() < 50*together {
		t.Errorf("only %d filters were compared", compared.Load())
	}
	t.Logf("%d filters compared, which let %d packets through", compared.Load(), counted.Load())
}

// eachTrace runs a test for each capture with one link type, several
// concurrently, and waits for all.
func eachTrace(t *testing.T, test func(t *testing.T, path string, tr *trace)) {
	t.Helper()
	t.Run("captures", func(t *testing.T) {
		for _, c := range captures(t) {
			if c.erf() || c.status != "ok" || c.link == "per-packet" || c.packets == 0 {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				path := plain(t, filepath.Join(testdata.Dir(t), c.name))
				tr := traceOf(t, path)
				if uint64(len(tr.packets)) != c.packets {
					t.Fatalf("libpcap reads %d packets of %d", len(tr.packets), c.packets)
				}
				test(t, path, tr)
			})
		}
	})
}

// filterings are flows that count the packets of a filter: of listed filters
// valid for the link type, and of generated ones, some of them twice.
func (tr *trace) filterings(listed []string, g *generator) (chains []chain) {
	add := func(expr string) {
		if s, ok := tr.filtering(expr); ok {
			chains = append(chains, chain{s, packetCounter, byteCounter})
		}
	}
	for _, expr := range listed {
		add(expr)
	}
	for tries := 0; len(chains) < together && tries < 10*together; tries++ {
		add(g.filter(3))
	}
	for range 20 {
		chains = append(chains, chains[g.IntN(len(chains))])
	}
	g.Shuffle(len(chains), func(i, j int) { chains[i], chains[j] = chains[j], chains[i] })
	return chains
}

// TestSearchTogether runs chains of filters, searches and counters with many
// common parts on every capture. Each must count the packets that libpcap
// accepts and a plain search finds.
func TestSearchTogether(t *testing.T) {
	seed := newSeed(t)
	listed := manualFilters(t)
	client := start(t).client()
	var counted atomic.Uint64
	eachTrace(t, func(t *testing.T, path string, tr *trace) {
		if len(tr.packets) > 20000 {
			t.Log("left out: a plain search would take too long") // its source captures are searched separately
			return
		}
		d := newDrawer(rand.New(rand.NewPCG(seed, uint64(len(tr.packets)))), tr, listed)
		counted.Add(runFile(t, client, path, tr, d.chains(100), d.IntN(2) == 0))
	})
	t.Logf("%d packets found", counted.Load())
}
