package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// Flows returns all flows that the session may see.
func (s *Session) Flows() []FlowInfo { return slices.Collect(s.FlowsAfter(0, math.MaxInt)) }

// Functions returns all functions of a flow.
func (s *Session) Functions(fd int32) ([]FunctionInfo, error) {
	return s.FunctionsAfter(fd, 0, math.MaxInt)
}

// TestFlowsOfAll lists flows of three users and four connections, made in turn.
func TestFlowsOfAll(t *testing.T) {
	b := newBed(t)
	mine, sibling, stranger, root := b.client(7), b.client(7), b.client(8), b.client(0)
	for range 3 {
		for _, c := range []*client{mine, sibling, stranger, root} {
			c.flow()
		}
	}
	const F = ForeignFD
	for _, c := range []struct {
		name string
		*client
		want []int32
	}{
		{"owner", mine, []int32{1, 2, 3, F + 2, F + 6, F + 10}},
		{"same user", sibling, []int32{1, 2, 3, F + 1, F + 5, F + 9}},
		{"other user", stranger, []int32{1, 2, 3}},
		{"root", root, []int32{1, 2, 3, F + 1, F + 2, F + 3, F + 5, F + 6, F + 7, F + 9, F + 10, F + 11}},
	} {
		if got := numbers(c.Flows()); !slices.Equal(got, c.want) {
			t.Errorf("%s sees %d, want %d", c.name, got, c.want)
		}
		for fd := range int32(15) {
			for _, fd := range []int32{fd, F + fd, -fd - 1} {
				info, ok := c.Flow(fd)
				if want := slices.Contains(c.want, fd); ok != want || ok && info.FD != fd || c.Sees(fd) != want {
					t.Errorf("%s sees flow %d: %v, as %d", c.name, fd, ok, info.FD)
				}
			}
		}
	}
	mine.Close()
	if got, want := numbers(sibling.Flows()), []int32{1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("at last %d, want %d", got, want)
	}
	b.engine.Close()
	if n := b.engine.flows.n + mine.user.flows.n + root.user.flows.n; n != 0 {
		t.Errorf("%d flows are left", n)
	}
}

func numbers(flows []FlowInfo) (fds []int32) {
	for _, f := range flows {
		fds = append(fds, f.FD)
	}
	return fds
}

// TestNumbersForOthersComeAgain uses up all numbers while two flows keep theirs.
func TestNumbersForOthersComeAgain(t *testing.T) {
	b := newBed(t)
	c, root := b.client(7), b.client(0)
	c.flow()
	b.engine.lastNumber = ForeignFD - 2
	c.flow()
	c.flow()
	c.flow()
	const F = ForeignFD
	if got, want := numbers(root.Flows()), []int32{F + 1, F + 2, F + 3, F + F - 1}; !slices.Equal(got, want) {
		t.Errorf("%d, want %d", got, want)
	}
}

// TestPagesWhileFlowsComeAndGo lists flows while some come and go. Each flow that stays is
// listed once.
func TestPagesWhileFlowsComeAndGo(t *testing.T) {
	const n = 1500
	b := newBed(t)
	c, sibling := b.client(7), b.client(7)
	for _, c := range []*client{c, sibling} {
		for range n {
			c.flow()
		}
	}
	var stay []int32
	for i := int32(1); i <= n; i += 3 {
		stay = append(stay, i, ForeignFD+n+i)
	}
	slices.Sort(stay)
	done := make(chan struct{})
	var churn sync.WaitGroup
	for _, c := range []*client{c, sibling} {
		churn.Go(func() { comeAndGo(c, n, done) })
	}
	for _, page := range []int{1, 7, 64, 100, 1024, 1, 7, 64, 100, 1024} {
		got := inPages(c, page)
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("pages of %d: out of order, or twice", page)
		}
		for _, fd := range stay {
			if _, ok := slices.BinarySearch(got, fd); !ok {
				t.Fatalf("pages of %d: flow %d is missing", page, fd)
			}
		}
	}
	close(done)
	churn.Wait()
}

// comeAndGo closes two of three of the first n flows, and in between makes and closes others.
func comeAndGo(c *client, n int32, done chan struct{}) {
	var passing []int32
	for fd := int32(1); fd <= n; fd++ {
		if fd%3 != 1 {
			passing = append(passing, fd)
		}
	}
	for i := 0; !closed(done); i++ {
		if len(passing) == 0 || i/1000%2 == 1 {
			fd, _ := c.flow()
			passing = append(passing, fd)
			continue
		}
		at := i * 7919 % len(passing)
		if err := c.CloseFlow(passing[at]); err != nil {
			c.t.Error(err)
		}
		passing = slices.Delete(passing, at, at+1)
	}
}

// inPages lists the flows, n at a time.
func inPages(c *client, n int) (fds []int32) {
	for after := int32(0); ; after = fds[len(fds)-1] {
		before := len(fds)
		for f := range c.FlowsAfter(after, n) {
			fds = append(fds, f.FD)
		}
		if len(fds) == before {
			return fds
		}
	}
}

// TestOneFlowCostsOne tests that asking for one flow allocates nothing for others.
func TestOneFlowCostsOne(t *testing.T) {
	b := newBed(t)
	c, root := b.client(7), b.client(0)
	garbage := func(fd int32) (n [3]float64) {
		asked := func(c *client, fd int32) float64 {
			return testing.AllocsPerRun(10, func() {
				for range c.FlowsAfter(fd, 1) {
				}
			})
		}
		n[0] = testing.AllocsPerRun(10, func() { c.Flow(fd) })
		n[1], n[2] = asked(c, fd), asked(root, ForeignFD+fd)
		return n
	}
	for range 10 {
		c.connected()
	}
	few := garbage(5)
	for range 3000 {
		c.connected()
	}
	if many := garbage(1500); many != few {
		t.Errorf("%v allocations among 3,010 flows, %v among 10", many, few)
	}
}

// TestFilesKnowTheirFlows tests that a file has a list of its flows, so that deleting it
// needs no search.
func TestFilesKnowTheirFlows(t *testing.T) {
	b := files(t)
	c := b.client(7)
	names := []string{c.tape(), c.tape()}
	for range 2 {
		c.flowOn(names[0])
		c.flowOn(names[1])
		c.flow()
	}
	if n := c.offline[names[1]].flows.n; n != 2 {
		t.Errorf("it has %d flows", n)
	}
	wantCode(t, "delete", c.DeleteOffline(names[1]), 0)
	if got, want := numbers(c.Flows()), []int32{1, 3, 4, 6}; !slices.Equal(got, want) {
		t.Errorf("flows %d, want %d", got, want)
	}
}

// TestPagesOfFunctions asks for functions in pages, and one by one.
func TestPagesOfFunctions(t *testing.T) {
	c := newBed(t).client(1)
	var functions [][]any
	for range 10 {
		functions = append(functions, fn("PKT_COUNTER"))
	}
	fd, _ := c.flow(functions...)
	for after, want := range map[int32][]int32{-1: {1, 2, 3}, 0: {1, 2, 3}, 4: {5, 6, 7}, 8: {9, 10}, 10: nil} {
		infos, err := c.FunctionsAfter(fd, after, 3)
		var got []int32
		for _, i := range infos {
			got = append(got, i.FID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("after %d: %d, %v, want %d", after, got, err, want)
		}
	}
}

// BenchmarkInfo asks for one flow among N, and for the next one: as their owner, as an owner
// who looks for flows of others, and as root.
func BenchmarkInfo(b *testing.B) {
	for _, name := range []string{"one", "next", "others", "root"} {
		for _, n := range []int{10, 60000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				bed := newBed(b)
				asker, fd := bed.client(7), int32(n/2)
				for range n {
					asker.connected()
				}
				bed.client(7).connected()
				switch name {
				case "others":
					fd = int32(n)
				case "root":
					asker, fd = bed.client(0), ForeignFD+fd
				}
				b.ReportAllocs()
				for b.Loop() {
					if name == "one" {
						asker.Flow(fd)
						continue
					}
					for range asker.FlowsAfter(fd, 1) {
					}
				}
			})
		}
	}
}

// BenchmarkPolled runs 10,000 flows with packets, with and without a client that asks for one
// of them every 5 ms. The CPU time is that of the process.
func BenchmarkPolled(b *testing.B) {
	pkts := traffic(rand.New(rand.NewPCG(1, 1)), 64*drivers.MaxBatch)
	for _, polls := range []bool{false, true} {
		b.Run(fmt.Sprint(polls), func(b *testing.B) {
			bed := newBed(b)
			c := bed.client(0)
			for i := range 10000 {
				c.connected(fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i)), fn("PKT_COUNTER"))
			}
			bed.merged()
			loop := bed.engine.devices[0].cur.loop
			done := make(chan struct{})
			var asker sync.WaitGroup
			asker.Go(func() {
				for tick := time.NewTicker(5 * time.Millisecond); polls && !closed(done); <-tick.C {
					for range c.FlowsAfter(5000, 1) {
					}
				}
			})
			start, n := processTime(b), 0
			for b.Loop() {
				loop.Batch(pkts[n%len(pkts):][:drivers.MaxBatch])
				n += drivers.MaxBatch
			}
			b.ReportMetric(float64(processTime(b)-start)/float64(n), "cpu-ns/packet")
			close(done)
			asker.Wait()
		})
	}
}

func processTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkComing makes and closes a flow beside N others of the same connection, with and
// without a function that refers to another function of its flow.
func BenchmarkComing(b *testing.B) {
	for _, name := range []string{"plain", "referring"} {
		for _, n := range []int{10, 30000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				c := newBed(b).client(0)
				fid := int64(0)
				come := func() int32 {
					fd, _ := c.flow(fn("PKT_COUNTER"))
					if fid++; name == "referring" {
						if _, err := c.Apply(b.Context(), fd, "BINOP", []any{int64(0), int64(fd), fid, int64(fd), fid}); err != nil {
							b.Fatal(err)
						}
						fid++
					}
					return fd
				}
				for range n {
					if err := c.Connect(b.Context(), come()); err != nil {
						b.Fatal(err)
					}
				}
				for b.Loop() {
					c.CloseFlow(come())
				}
			})
		}
	}
}
