package acceptance

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"gomapi/internal/books"
	"gomapi/internal/testdata"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// sharer is the environment variable that makes the test binary a program whose
// flows are equal to those of others.
const sharer = "MAPI_TEST_SHARER"

// sharing is the number of flows of each program, and sharedFilter is their
// first filter.
const (
	sharing      = 50
	sharedFilter = "ip and not udp port 53"
)

// TestSharer is the program of TestManyShare.
func TestSharer(t *testing.T) {
	socket := os.Getenv(sharer)
	if socket == "" {
		t.Skip("a program for TestManyShare") // not a test of its own
	}
	c := &mapi.Client{Socket: socket}
	for range sharing {
		_, err := count(t.Context(), c, "eth0", sharedFilter)
		must(t, err)
	}
	fmt.Println("ready")
	select {}
}

func startSharer(t *testing.T, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSharer$")
	cmd.Env = append(os.Environ(), sharer+"="+socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if said, err := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		t.Fatalf("the program says %q, %v", said, err)
	}
	return cmd
}

// TestManyShare has a thousand equal flows of many clients, one of them a
// separate process. All read the same results after each sending. When clients
// close or are killed while packets pass, the others are unaffected.
func TestManyShare(t *testing.T) {
	d := mapitest.Start(t)
	s := &street{device: d.Device("eth0"), tr: mixture(t, 20)}
	r := rand.New(rand.NewPCG(newSeed(t), 0))
	filter, ok := s.tr.filtering(sharedFilter)
	if !ok {
		t.Fatal("libpcap does not have the filter")
	}
	child := startSharer(t, d.Socket()) // first, so that its functions do the work for all
	var clients []*mapi.Client
	for range 20 {
		c := d.Client()
		s.share(t, c, chain{filter, packetCounter, byteCounter}, sharing)
		clients = append(clients, c)
	}
	decidedTogether(t, clients[0], "eth0", func() { s.send(r, 1) })
	s.check(t)
	s.spares(t, clients[0], r)

	end := s.open(r)
	defer end()
	must(t, child.Process.Kill())
	child.Wait()
	for _, c := range clients[:5] {
		s.leaveAll(t, sharing) // of this client, the oldest flows
		must(t, c.Close())
	}
	testenv.Until(t, fmt.Sprintf("%d flows are left", 15*sharing), func() bool { return flows(t, clients[5]) == 15*sharing })
	s.check(t)
	s.share(t, clients[5], chain{filter, packetCounter, byteCounter}, sharing)
	decidedTogether(t, clients[5], "eth0", nil)
	end()
	s.check(t)
}

// share connects n equal flows.
func (s *street) share(t *testing.T, c *mapi.Client, steps chain, n int) {
	t.Helper()
	for range n {
		p, err := newParty(t.Context(), c, "eth0", steps)
		must(t, err)
		must(t, s.enter(t, p))
	}
}

// leaveAll checks the n oldest flows and removes them from the list.
func (s *street) leaveAll(t *testing.T, n int) {
	t.Helper()
	for _, p := range slices.Clone(s.parties[:n]) {
		if err := s.leave(p); err != nil {
			t.Error(err)
		}
	}
}

// spares compares the note about sharing in the device's books with the number
// of calls that equal flows save: for each packet all of their counters except
// two.
func (s *street) spares(t *testing.T, c *mapi.Client, r *rand.Rand) {
	t.Helper()
	spared := func() uint64 {
		b, err := c.Books(t.Context(), "eth0")
		must(t, err)
		return note(t, b, books.Shared)
	}
	counter := s.parties[0].counters[0]
	before, counted := spared(), counter.want
	for range 20 {
		s.send(r, 1+r.IntN(600))
		s.check(t)
	}
	all := uint64(len(s.parties)) + sharing // including those of the process
	want := (counter.want - counted) * 2 * (all - 1)
	if got := spared() - before; got != want || want == 0 {
		t.Errorf("%d were spared by sharing, want %d", got, want)
	}
}

// TestResultsAreNotStale sends some packets to an interface and then no more.
// All flows must count them although no packet follows, whether they are shared
// or not.
func TestResultsAreNotStale(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t)
		var all []*counted
		var c *mapi.Client
		for range 4 {
			c = d.client()
			for i := range 100 {
				filter := [...]string{"udp", "udp", "", "ip", fmt.Sprintf("ip and greater %d", 20+i%80)}[i%5]
				n, err := count(t.Context(), c, testnet.B, filter)
				must(t, err)
				all = append(all, n)
			}
		}
		sender := ns.Sender(testnet.A)
		total := uint64(0)
		for round, k := range []int{1, 3, 16, 17, 255, 256, 257, 1000, 1, 2, 300} {
			if round == 4 {
				decidedTogether(t, c, testnet.B, nil)
			}
			for range k {
				must(t, sender.Send(testnet.UDP(total, 100)))
				total++
			}
			countAll(t, all, total)
		}
	})
}

// countAll checks that all flows reach n packets of 100 bytes.
func countAll(t *testing.T, all []*counted, n uint64) {
	t.Helper()
	for _, f := range all {
		reaches(t, f.filter+" packets", f.packets, n)
		reaches(t, f.filter+" bytes", f.bytes, n*100)
	}
}

// TestEqualFlowsAtTheEnd has more equal flows on files than get their sums at
// once. At the end all results must be complete.
func TestEqualFlowsAtTheEnd(t *testing.T) {
	client := start(t).client()
	for _, name := range []string{"mapi-tracefile.pcap", "nd-gnutella.pcap", "mixed-merged.pcap"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testdata.Dir(t), name)
			tr := traceOf(t, path)
			filter, _ := tr.filtering("tcp")
			text := tr.searching(quest{alternatives: [][]byte{[]byte("GET "), {0, 0, 0}}, offset: 54})
			chains := slices.Repeat([]chain{{filter, packetCounter, byteCounter}, {text, packetCounter, byteCounter}, {packetCounter, byteCounter}}, 150)
			runFile(t, client, path, tr, chains, true)
		})
	}
}
