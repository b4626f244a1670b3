package content

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

func TestScanDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	d, s := open(t, append(words(r, 1000), &Pattern{Strings: [][]byte{[]byte("a")}}, &Pattern{Strings: [][]byte{[]byte("b")}, Offset: 7}))
	var links [][]byte
	for range 300 {
		links = append(links, some(r, letters, 500))
	}
	links[17] = bytes.Repeat([]byte("ab"), 2000)
	pkts := packets(links...)
	hits := make([]Hit, 0, 2000)
	n := testing.AllocsPerRun(20, func() {
		if n, out := d.Scan(s, pkts, hits); n != len(pkts) || len(out) < 100 {
			t.Fatalf("%d packets are decided with %d hits", n, len(out))
		}
	})
	if n != 0 {
		t.Errorf("Scan allocates %v times", n)
	}
	if again := d.Stats().Again; again == 0 {
		t.Error("no packet went through the automaton")
	}
}

func TestStatsCount(t *testing.T) {
	d, s := open(t, []*Pattern{{Strings: [][]byte{[]byte("a")}}, {Strings: [][]byte{[]byte("a")}, Offset: 5000}})
	pkts := packets([]byte("a"), bytes.Repeat([]byte("a"), 3000), []byte("x"), nil)
	if hits := all(t, d, s, pkts, 1); len(hits) != 2 {
		t.Errorf("%v, want two hits", hits)
	}
	if got := d.Stats(); got.Packets != 4 || got.Again != 1 {
		t.Errorf("%+v, want 4 packets, one of them searched again", got)
	}
}

// TestManyPatterns checks that 10,000 patterns become a database in less than a
// second; the limit allows for slow machines. Quadratic time would exceed the
// limit.
func TestManyPatterns(t *testing.T) {
	patterns := words(rand.New(rand.NewPCG(1, 2)), 10000)
	testenv.Within(t, "New", func() {
		d, err := New(patterns)
		if err != nil {
			t.Error(err)
			return
		}
		d.Close()
	})
}

// TestTheLargestSet compiles the maximum number of strings.
func TestTheLargestSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := &Pattern{}
	for range MaxStrings - 1 {
		p.Strings = append(p.Strings, some(r, "\x00\x01abcdefgh", 3+r.IntN(10)))
	}
	testenv.Within(t, "New", func() {
		d, err := New([]*Pattern{p})
		if err != nil {
			t.Error(err)
			return
		}
		t.Logf("%+v", d.Stats())
		d.Close()
	})
}

// TestCloseFreesMemory checks that Close frees the memory of New and Fit,
// including that of C.
func TestCloseFreesMemory(t *testing.T) {
	patterns := words(rand.New(rand.NewPCG(1, 2)), 300)
	pkts := packets(bytes.Repeat([]byte("abcdefgh"), 100))
	round := func() {
		d, err := New(patterns)
		if err != nil {
			t.Fatal(err)
		}
		s := &Scratch{}
		if err := s.Fit(d); err != nil {
			t.Fatal(err)
		}
		d.Scan(s, pkts, make([]Hit, 0, d.Len()))
		s.Close()
		d.Close()
	}
	for range 50 {
		round()
	}
	before := resident(t)
	for range 200 {
		round()
	}
	if grown := resident(t) - before; grown > 16<<20 {
		t.Errorf("200 databases leak %d bytes", grown)
	}
}

// resident returns the resident memory of the process in bytes (proc(5)).
func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// TestOneScratchForManyDatabases checks that a scratch works for all databases
// that it was fitted to, in any order, even after its stamps have wrapped
// around.
func TestOneScratchForManyDatabases(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := &Scratch{}
	defer s.Close()
	var sets [][]*Pattern
	var databases []*Database
	for i := range 5 {
		var patterns []*Pattern
		for range 1 + 30*(i%3) {
			patterns = append(patterns, randomPattern(r, "ab"))
		}
		d, err := New(patterns)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := s.Fit(d); err != nil {
			t.Fatal(err)
		}
		sets, databases = append(sets, patterns), append(databases, d)
	}
	s.patterns.stamp, s.strings.seen.stamp, s.strings.done.met.stamp = ^uint32(2), ^uint32(2), ^uint32(3)
	s.bench.c.stamp = ^s.bench.c.stamp - 5
	for range 200 {
		i := r.IntN(len(sets))
		pkts := []*pkt.Packet{{Link: some(r, "ab", 90)}, {Link: some(r, "ab", 40)}}
		want := naiveHits(sets[i], pkts)
		if got := sorted(all(t, databases[i], s, pkts, len(sets[i]))); len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		if got := automatonHits(t, databases[i], s, pkts); len(got) != len(want) {
			t.Fatalf("the automaton finds %v, want %v", got, want)
		}
	}
}

func TestScanNeedsAScratchThatFits(t *testing.T) {
	d, _ := open(t, words(rand.New(rand.NewPCG(1, 2)), 10))
	defer func() {
		if recover() == nil {
			t.Error("Scan continues without room for hits")
		}
	}()
	d.Scan(&Scratch{}, packets([]byte("a")), nil)
}
