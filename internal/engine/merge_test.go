package engine

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/segment"
	"gomapi/internal/shm"
	"gomapi/internal/testenv"
)

// A model has the counts that a flow should have, added up packet by packet.
type model struct {
	fd      int32
	port    int    // of its filter, 0: none
	deep    int    // port of a filter behind the first counter, 0: none
	text    []byte // string that is searched for behind the filter, nil: none
	results []*shm.Reader
	want    [2]uint64 // packets and bytes behind its last filter
	front   uint64    // packets before the deep filter
	first   uint64    // packets that the leading filter let through
}

// see adds a packet to what the flow should have counted.
func (m *model) see(port uint16, p *drivers.Packet) {
	if m.port != 0 && int(port) != m.port {
		return
	}
	m.first++
	if m.text != nil && !bytes.Contains(p.Link, m.text) {
		return
	}
	m.front++
	if m.deep == 0 || int(port) == m.deep {
		m.want[0]++
		m.want[1] += uint64(p.Wire)
	}
}

func (m *model) check(t testing.TB, when string) {
	t.Helper()
	n := len(m.results)
	got := [3]uint64{m.results[n-2].Uint64(), m.results[n-1].Uint64(), m.front}
	if m.deep != 0 {
		got[2] = m.results[n-4].Uint64()
	}
	if got != [3]uint64{m.want[0], m.want[1], m.front} {
		t.Errorf("%s: flow %d (port %d, then %d) has %d, want %d and %d in front", when, m.fd, m.port, m.deep, got, m.want, m.front)
	}
}

// A crowd is many flows on the bed's device, with their models.
type crowd struct {
	*bed
	clients []*client
	owner   map[*model]*client
	flows   []*model
	rnd     *rand.Rand
}

func newCrowd(t *testing.T) *crowd {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := &crowd{bed: newBed(t), owner: make(map[*model]*client), rnd: rand.New(rand.NewPCG(seed, 1))}
	for range 3 {
		c.clients = append(c.clients, c.client(1))
	}
	return c
}

func (c *crowd) join() {
	m := &model{port: c.rnd.IntN(30)}
	if c.rnd.IntN(3) == 0 {
		m.deep = 1 + c.rnd.IntN(30)
	}
	var functions [][]any
	if m.port != 0 {
		functions = append(functions, fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", m.port)))
	}
	if c.rnd.IntN(2) == 0 {
		m.text = []byte{0, byte(c.rnd.IntN(3)), byte(c.rnd.IntN(100))}
		functions = append(functions, fn("STR_SEARCH", fmt.Sprintf("|% x|", m.text), int64(0), int64(0)))
	}
	if m.deep != 0 {
		functions = append(functions, fn("PKT_COUNTER"), fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", m.deep)))
	}
	cl := c.clients[c.rnd.IntN(len(c.clients))]
	m.fd, m.results = cl.connected(append(functions, fn("PKT_COUNTER"), fn("BYTE_COUNTER"))...)
	c.flows, c.owner[m] = append(c.flows, m), cl
}

func (c *crowd) leave() {
	if len(c.flows) == 0 {
		return
	}
	i := c.rnd.IntN(len(c.flows))
	m := c.flows[i]
	m.check(c.t, "before close")
	if err := c.owner[m].CloseFlow(m.fd); err != nil {
		c.t.Fatal(err)
	}
	c.flows = slices.Delete(c.flows, i, i+1)
}

func (c *crowd) packets() {
	var batch []drivers.Packet
	for range 1 + c.rnd.IntN(40) {
		port := uint16(1 + c.rnd.IntN(32))
		p := udp(port, uint32(c.rnd.IntN(1000)))
		for _, m := range c.flows {
			m.see(port, &p)
		}
		batch = append(batch, p)
	}
	c.source.Send(batch...)
}

// books of all flows balance, and functions have seen the packets of the model.
func (c *crowd) books() {
	for _, m := range c.flows {
		f, ok := c.owner[m].Flow(m.fd)
		if !ok || !f.Books.Balances() {
			c.t.Errorf("flow %d: %+v", m.fd, f.Books)
		}
		infos, err := c.owner[m].Functions(m.fd)
		if err != nil {
			c.t.Fatal(err)
		}
		if last := infos[len(infos)-1]; last.Packets != m.want[0] || last.Passed != m.want[0] {
			c.t.Errorf("flow %d: the last function had %d, %d went on, want %d", m.fd, last.Packets, last.Passed, m.want[0])
		}
		if m.port != 0 && infos[0].Passed != m.first {
			c.t.Errorf("flow %d: the leading filter let %d through, want %d", m.fd, infos[0].Passed, m.first)
		}
	}
}

// merged waits until all chains of the bed's device are in one segment, and returns that;
// nil if there are no chains.
func (b *bed) merged() *segment.Segment {
	capture := b.engine.devices[0].cur
	deadline := time.After(2 * testenv.Patience)
	for {
		b.engine.mu.Lock()
		c := &capture.compactor
		if c.stateLocked(time.Now()).Quiet() {
			b.engine.mu.Unlock()
			for _, s := range capture.loop.Segments() {
				return s
			}
			return nil
		}
		built := c.awaitBuiltLocked()
		b.engine.mu.Unlock()
		select {
		case <-built:
		case <-deadline:
			b.t.Fatal("flows are not merged")
		}
	}
}

// Flows that come and go under traffic count the same as they would alone, wherever their
// chains are: unmerged, in segments, or sharing nodes.
func TestFlowsComeGoAndMerge(t *testing.T) {
	c := newCrowd(t)
	for round := range 6 {
		for range 150 {
			switch n := c.rnd.IntN(10); {
			case n < 5:
				c.join()
			case n < 7+round%3:
				c.leave()
			default:
				c.packets()
			}
		}
		if round%2 == 1 {
			c.merged()
			if s, u := len(c.loop().Segments()), len(c.loop().Unmerged()); s > 1 || u > 0 {
				t.Errorf("merged into %d segments, %d are unmerged", s, u)
			}
		}
		c.packets()
		c.books()
	}
	for _, m := range c.flows {
		m.check(t, "at the end")
	}
	for len(c.flows) > 0 {
		c.leave()
	}
	if n := len(c.loop().Chains()); n > 0 {
		t.Errorf("%d chains are left in the plan", n)
	}
}

// Equal chains run as one.
func TestEqualChainsRunAsOne(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fd, first := c.connected(fn("PKT_COUNTER"))
	var counters []*shm.Reader
	for range 100 {
		_, r := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
		counters = append(counters, r[1])
	}
	b.source.Send(udp(53, 0))
	if st := b.merged().Stats(); st.Members != 1 || st.Nodes != 2 {
		t.Fatalf("%+v, want 1 member with 2 nodes", st)
	}
	b.source.Send(udp(53, 1), udp(54, 1))
	if n := b.loop().Spared(); n != 2*99 {
		t.Errorf("a packet was spared %d functions, want %d", n, 2*99)
	}
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 2)
	}
	wantCount(t, "the other flow", first[0], 3)
	if err := c.CloseFlow(fd); err != nil {
		t.Fatal(err)
	}
}

// A flow that others begin to refer to leaves its shared nodes and keeps its count.
func TestReferencePartsEqualChains(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	var fds []int32
	var counters []*shm.Reader
	for range 20 {
		fd, r := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
		fds, counters = append(fds, fd), append(counters, r[1])
	}
	b.source.Send(udp(53, 0))
	b.merged()
	b.source.Send(udp(53, 1))
	infos, err := c.Functions(fds[7])
	if err != nil {
		t.Fatal(err)
	}
	c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("LOOK", int64(fds[7]), int64(infos[1].FID)))
	b.source.Send(udp(53, 2))
	if got := all[0].seen; len(got) != 1 || got[0] != 3 {
		t.Errorf("the function that refers saw %v, want 3", got)
	}
	b.merged()
	b.source.Send(udp(53, 3), udp(52, 3))
	for i, r := range counters {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 4)
	}
}

// Strings that do not fit into the database are searched for one by one, without affecting
// the strings of others.
func TestTooManyStrings(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	_, few := c.connected(fn("STR_SEARCH", "|00 07|", int64(0), int64(0)), fn("PKT_COUNTER"))
	var large []*shm.Reader
	for i := range 40 {
		var many strings.Builder // of 1,000 strings of three letters
		for j := range 1000 {
			many.Write([]byte{byte('A' + i), byte('a' + j/26%26), byte('a' + j%26), byte('0' + j/676), '|', '|'})
		}
		_, r := c.connected(fn("STR_SEARCH", many.String()+"|00 08|", int64(42), int64(0)), fn("PKT_COUNTER"))
		large = append(large, r[1])
	}
	b.source.Send(udp(53, 7))
	if n := 41 - b.merged().Stats().SingleSearches; n < 2 || n > 40 {
		t.Errorf("%d patterns are searched for together, want the small one and some of the large ones", n)
	}
	b.source.Send(udp(53, 7), udp(53, 8))
	wantCount(t, "the small pattern", few[1], 2)
	for i, r := range large {
		wantCount(t, fmt.Sprintf("large pattern %d", i), r, 1)
	}
}

// twice is a function that adds up and has the name of another one.
type twice struct{ result *flib.Result }

func (f twice) Process(in []*flib.Packet) []*flib.Packet {
	f.Total().Add(f.Sum(in))
	return in
}
func (twice) Sum(in []*flib.Packet) uint64 { return 2 * uint64(len(in)) }
func (f twice) Total() *atomic.Uint64      { return f.result.Word() }

// Functions of two libraries with the same name are different functions.
func TestFunctionsOfOneName(t *testing.T) {
	b := newBed(t, flib.Library{Name: "other", Functions: []flib.Def{{
		Name: "PKT_COUNTER", New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
			r, err := env.NewResult(8)
			return twice{r}, err
		},
	}}})
	c := b.client(1)
	counters := make(map[string][]*shm.Reader)
	for range 10 {
		for _, name := range []string{"other:PKT_COUNTER", "stdflib:PKT_COUNTER"} {
			_, r := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn(name))
			counters[name] = append(counters[name], r[1])
		}
	}
	b.source.Send(udp(53, 0))
	if n := b.merged().Stats().Nodes; n != 2 {
		t.Errorf("%d functions run for all, want 2", n)
	}
	b.source.Send(udp(53, 0))
	for i := range 10 {
		wantCount(t, "that of the other library", counters["other:PKT_COUNTER"][i], 4)
		wantCount(t, "that of stdflib", counters["stdflib:PKT_COUNTER"][i], 2)
	}
}
