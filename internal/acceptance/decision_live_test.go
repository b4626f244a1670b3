package acceptance

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// A street is a device with constant traffic, and flows that are created and
// closed. The holder of mu knows which packets were sent so far; other actions
// of programs run while packets pass.
type street struct {
	device *mapitest.Device
	tr     *trace

	mu      sync.Mutex
	parties []*party
	sent    uint64
	err     error // of sending
}

// open sends packets until end is called.
func (s *street) open(r *rand.Rand) (end func()) {
	var passing sync.WaitGroup
	var stop atomic.Bool
	passing.Go(func() {
		for !stop.Load() {
			s.send(r, 1+r.IntN(100))
		}
	})
	return func() {
		stop.Store(true)
		passing.Wait()
	}
}

// send sends n packets of the trace.
func (s *street) send(r *rand.Rand, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	packets, views := make([]int, n), make([]mapitest.Packet, n)
	for i := range packets {
		packets[i] = r.IntN(len(s.tr.packets))
		views[i] = s.tr.packets[packets[i]]
	}
	if len(s.parties) == 0 {
		return // no flow has opened the device
	}
	if err := s.device.Send(views...); err != nil {
		s.err = err
		return
	}
	s.sent += uint64(n)
	for _, p := range s.parties {
		p.see(s.tr, packets)
	}
}

// enter connects a flow between two packets.
func (s *street) enter(t *testing.T, p *party) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parties = append(s.parties, p)
	return p.flow.Connect(t.Context())
}

// leave checks a flow between two packets and removes it from the list.
func (s *street) leave(p *party) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parties = slices.DeleteFunc(s.parties, func(q *party) bool { return p == q })
	return p.check()
}

// check compares the counts of all flows between two packets.
func (s *street) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		t.Error(s.err)
	}
	for _, p := range s.parties {
		if err := p.check(); err != nil {
			t.Error(err)
		}
	}
}

// A program is a client that creates and closes flows.
type program struct {
	*rand.Rand
	client *mapi.Client
	street *street
	chains []chain
	own    []*party
}

// live creates or closes n flows.
func (p *program) live(t *testing.T, n int) error {
	for range n {
		if len(p.own) > 0 && p.IntN(5) < 2 {
			if err := p.quit(t); err != nil {
				return err
			}
			continue
		}
		flow, err := newParty(t.Context(), p.client, "eth0", p.chains[p.IntN(len(p.chains))])
		if err != nil {
			return err
		}
		if err := p.street.enter(t, flow); err != nil {
			return err
		}
		p.own = append(p.own, flow)
	}
	return nil
}

func (p *program) quit(t *testing.T) error {
	i := p.IntN(len(p.own))
	flow := p.own[i]
	p.own = slices.Delete(p.own, i, i+1)
	if err := p.street.leave(flow); err != nil {
		return err
	}
	return flow.flow.Close(t.Context())
}

// TestFlowsComeAndGo creates and closes flows of several programs while packets
// pass. Each flow must count the same packets between its connect and its last
// reading as it would alone, whether it is decided with others or not, and whatever other
// flows count.
func TestFlowsComeAndGo(t *testing.T) {
	seed := newSeed(t)
	d := mapitest.Start(t)
	r := rand.New(rand.NewPCG(seed, 0))
	s := &street{device: d.Device("eth0"), tr: mixture(t, 40)}
	mixed := newGenerator(t, seed, filepath.Join(testdata.Dir(t), "mixed-merged.pcap"))
	chains := append(newDrawer(r, s.tr, manualFilters(t)).chains(120), s.tr.filterings(manualFilters(t), mixed)...)
	var programs []*program
	for i := range 6 {
		own := rand.New(rand.NewPCG(seed, uint64(1+i)))
		programs = append(programs, &program{Rand: own, client: d.Client(), street: s, chains: chains})
	}
	end := s.open(r)
	defer end()
	for round := range 4 {
		crowd(t, programs, 100)
		s.check(t)
		if round%2 == 1 {
			decidedTogether(t, programs[0].client, "eth0", nil)
			s.check(t)
		}
	}
	end()
	s.check(t)
	t.Logf("%d packets of %d kinds, %d flows at the end", s.sent, len(s.tr.packets), len(s.parties))
	if s.sent < 2000 || len(s.parties) < 200 {
		t.Error("too few for a test")
	}
}

// crowd makes all programs do something concurrently.
func crowd(t *testing.T, programs []*program, n int) {
	t.Helper()
	errs := make([]error, len(programs))
	var all sync.WaitGroup
	for i, p := range programs {
		all.Go(func() { errs[i] = p.live(t, n) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatal(fmt.Errorf("program %d: %w", i, err))
		}
	}
}
