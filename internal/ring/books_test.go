package ring

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
)

// reading records what one reader saw of a run of numbered packets.
type reading struct{ seen, gaps, last uint64 }

// readAll reads r to the end and counts the packets, and the missing numbers before each.
func readAll(t *testing.T, r *Reader, pause func(n uint64)) (got reading) {
	ctx, next := bounded(t), uint64(0)
	for {
		p, err := r.Next(ctx)
		if err == io.EOF {
			return got
		}
		if err != nil || p.TS < next {
			t.Errorf("after %d packets: packet %d, %v", got.seen, p.TS, err)
			return got
		}
		checkNumbered(t, p, p.TS, int(p.TS%1500))
		got.gaps += p.TS - next
		got.seen++
		next, got.last = p.TS+1, p.TS+1
		pause(got.seen)
	}
}

// TestBooksBalance sends numbered packets to several readers at once, live. For each
// reader, packets seen plus recorded losses must equal the packets sent, and the gaps
// must equal the losses.
func TestBooksBalance(t *testing.T) {
	const packets = 100_000
	pauses := map[string]func(uint64){
		"fast": func(uint64) {},
		"slow": func(uint64) {
			for range 20 {
				runtime.Gosched()
			}
		},
	}
	var writers []*Writer
	var readers sync.WaitGroup
	for name, pause := range pauses {
		w, r := pair(t, 256<<10)
		writers = append(writers, w)
		readers.Go(func() {
			got := readAll(t, r, pause)
			c := r.Counts()
			tail := packets - got.last // lost after the last packet seen
			if got.seen != c.Written || got.gaps+tail != c.Full || c.TooLarge != 0 || got.seen+got.gaps+tail != packets {
				t.Errorf("%s reader: saw %d, gaps of %d, then %d; recorded %+v", name, got.seen, got.gaps, tail, c)
			}
			t.Logf("%s reader: saw %d, lost %d", name, got.seen, c.Lost())
		})
	}
	dead, _ := pair(t, 0)
	writers = append(writers, dead)
	p := numbered(0, 1500)
	for n := range uint64(packets) {
		p.Link = p.Link[:n%1500]
		number(p, n)
		for _, w := range writers {
			w.Write(p)
			if n%64 == 0 {
				w.Flush()
			}
		}
	}
	for _, w := range writers {
		w.End()
	}
	readers.Wait()
	if c := dead.Counts(); c.Written+c.Full != packets || c.Full == 0 {
		t.Errorf("dead reader: %+v", c)
	}
}

// TestWaitingLosesNothing does the same for a trace, with batches.
func TestWaitingLosesNothing(t *testing.T) {
	const packets = 200_000
	w, r := pair(t, MinCapacity)
	var writer sync.WaitGroup
	writer.Go(func() {
		p := numbered(0, 1500)
		for n := range uint64(packets) {
			p.Link = p.Link[:n%1500]
			number(p, n)
			w.WriteWait(p)
			if n%64 == 0 {
				w.Flush()
			}
		}
		w.End()
	})
	dst, next := make([]Packet, 100), uint64(0)
	for {
		n, err := r.NextBatch(context.Background(), dst)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range dst[:n] {
			checkNumbered(t, p, next, int(next%1500))
			next++
		}
	}
	writer.Wait()
	if c := r.Counts(); next != packets || c.Written != packets || c.Lost() != 0 {
		t.Errorf("read %d of %d packets, %+v", next, packets, c)
	}
}

// TestEitherSideEndsAtAnyMoment ends one side in the middle, again and again. The memory stays,
// so that the bytes of packets do; see TestZerosAreNoPackets.
func TestEitherSideEndsAtAnyMoment(t *testing.T) {
	for round := range 200 {
		w, r := pair(t, MinCapacity)
		var sides sync.WaitGroup
		sides.Go(func() {
			for n := range uint64(2000) {
				w.WriteWait(numbered(n, int(n%1500)))
				if n%8 == 0 {
					w.Flush()
				}
				if round%2 == 0 && n == uint64(round) {
					break
				}
			}
			w.Leave()
		})
		sides.Go(func() {
			for n := uint64(0); ; n++ {
				p, err := r.Next(context.Background())
				if err == ErrGone {
					break
				}
				if err != nil {
					t.Error(err)
					break
				}
				checkNumbered(t, p, n, int(n%1500))
				if round%2 == 1 && n == uint64(round) {
					break
				}
			}
			r.Close()
		})
		sides.Wait()
	}
}
