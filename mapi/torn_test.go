package mapi_test

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/mapitest"
	"gomapi/mapi/result"
)

// A pattern is a sequence of packets that determines all results by the packet
// number. Packet n, counted from 1, has the nth of lengths, repeated
// cyclically, its time is n milliseconds after base, and its TCP header
// contains n.
type pattern struct{ base time.Time }

const (
	shortest = 60
	lengths  = 512
)

func (p pattern) length(n uint64) uint64    { return shortest + (n-1)%lengths }
func (p pattern) time(n uint64) time.Time   { return p.base.Add(time.Duration(n) * time.Millisecond) }
func (p pattern) number(at time.Time) int64 { return at.Sub(p.base).Milliseconds() }

// send sends packets first to first+count-1.
func (p pattern) send(device *mapitest.Device, first, count uint64) error {
	batch := make([]mapitest.Packet, count)
	for i := range batch {
		n := first + uint64(i)
		data := make([]byte, shortest)
		data[12], data[14], data[17], data[23] = 0x08, 0x45, shortest-14, 6 // IPv4 with TCP
		binary.BigEndian.PutUint32(data[38:], uint32(n))
		data[46] = 5 << 4
		batch[i] = mapitest.Packet{Time: p.time(n), Data: data, Wire: int(p.length(n))}
	}
	return device.Send(batch...)
}

// sums are the sum of the lengths of the first n packets, and of their squares.
func (p pattern) sums(n uint64) (sum, squares uint64) {
	for i := range min(n, lengths) {
		times := (n - i + lengths - 1) / lengths
		l := shortest + i
		sum, squares = sum+times*l, squares+times*l*l
	}
	return sum, squares
}

func (p pattern) checkStats(b []byte) error {
	s, ok := result.ParseStats(b)
	sum, squares := p.sums(s.Count)
	got, ok1 := s.Sum.Uint64()
	got2, ok2 := s.Sum2.Uint64()
	least, most := shortest, shortest+min(s.Count, lengths)-1
	if s.Count == 0 {
		least, most = 0, 0
	}
	if !ok || !ok1 || !ok2 || got != sum || got2 != squares || s.Min != float64(least) || s.Max != float64(most) {
		return fmt.Errorf("%+v, want sums %d and %d", s, sum, squares)
	}
	return nil
}

func (p pattern) checkDist(b []byte) error {
	d, ok := result.ParseDist(b)
	if !ok || d.Min != shortest || d.Max != shortest+lengths || len(d.Counts) != lengths+1 || d.Counts[lengths] != 0 {
		return fmt.Errorf("distribution from %d to %d with %d counters", d.Min, d.Max, len(d.Counts))
	}
	for i, n := range d.Counts[:lengths] {
		if last := d.Counts[max(i-1, 0)]; n > last || n+1 < d.Counts[0] {
			return fmt.Errorf("%d packets of length %d, %d of the one before, %d of the first", n, shortest+i, last, d.Counts[0])
		}
	}
	return nil
}

// checkBurst checks that each packet is a burst, except the last one, which is
// open. After each burst there is a gap that exceeds all categories.
func (p pattern) checkBurst(b []byte) error {
	categories, ok := result.ParseBurst(b)
	if !ok || len(categories) != lengths+2 {
		return fmt.Errorf("%d categories", len(categories))
	}
	var bursts uint64
	for i, c := range categories[1 : lengths+1] {
		first, last := categories[1].Bursts, categories[max(i, 1)].Bursts
		if c.Packets != c.Bursts || c.Bytes != c.Bursts*uint64(shortest+i) || c.Gaps != 0 || c.Bursts > last || c.Bursts+1 < first {
			return fmt.Errorf("category %d: %+v after one of %d bursts, %d in the first", i+1, c, last, first)
		}
		bursts += c.Bursts
	}
	if c := categories[lengths+1]; c.Gaps != bursts || c.Bursts != 0 {
		return fmt.Errorf("%d gaps after %d bursts", c.Gaps, bursts)
	}
	return nil
}

func (p pattern) checkStartStop(b []byte) error {
	s, ok := result.ParseStartStop(b)
	first, passed, last := result.PktInfo(s.First).Time(), result.PktInfo(s.FirstPassed).Time(), result.PktInfo(s.Last).Time()
	began := s != result.StartStop{}
	if !ok || began && (p.number(first) != 1 || p.number(passed) != 1 || p.number(last) < 1) {
		return fmt.Errorf("%v, %v, %v", first, passed, last)
	}
	return nil
}

func (p pattern) checkBucket(b []byte) (n uint64, err error) {
	e, ok := result.ParseBucket(b)
	if !ok || !e.Time().Equal(p.time(e.Value)) {
		err = fmt.Errorf("entry %+v of %v", e, e.Time())
	}
	return e.Value, err
}

func (p pattern) checkThreshold(b []byte) (n uint64, err error) {
	e, ok := result.ParseThreshold(b)
	if !ok || !e.Time().Equal(p.time(e.Value)) || uint64(e.Remaining)+e.Value != manyEvents {
		err = fmt.Errorf("event %+v of %v", e, e.Time())
	}
	return e.Value, err
}

const manyEvents = 1 << 30

func (p pattern) checkSample(b []byte) (n uint64, err error) {
	s, ok := result.ParseHashSample(b)
	if !ok || !result.PktInfo(s.TS).Time().Equal(p.time(uint64(s.Seq))) || s.Proto != 6 {
		err = fmt.Errorf("sample %+v", s)
	}
	return uint64(s.Seq), err
}

// TestResultsAreNeverTorn reads all results of more than a word on several
// goroutines while packets pass.
func TestResultsAreNeverTorn(t *testing.T) {
	const packets, batch, readers = 60_000, 150, 2
	d := mapitest.Start(t)
	c := d.Client()
	p := pattern{base: time.Now().Add(time.Hour).Truncate(time.Millisecond)} // after both connects
	tied, err := c.CreateFlow(t.Context(), "eth0")                           // processed packet by packet
	must(err)
	free, err := c.CreateFlow(t.Context(), "eth0") // processed batch by batch
	must(err)
	apply := func(f *mapi.Flow, name string, args ...any) *mapi.Function {
		fn, err := f.Apply(t.Context(), name, args...)
		must(err)
		return fn
	}
	count, size := apply(tied, "PKT_COUNTER"), apply(tied, "PKTINFO", mapi.PktSize)
	memory := map[*mapi.Function]func([]byte) error{
		apply(tied, "STATS", size, "0"):                                        p.checkStats,
		apply(tied, "DIST", size, itoa(shortest), itoa(shortest+lengths), "1"): p.checkDist,
		apply(free, "BURST", shortest, shortest+lengths, 1, 0, 0, 0, 1000):     p.checkBurst,
		apply(free, "STARTSTOP", "+0s", "+1m"):                                 p.checkStartStop,
	}
	series := map[*mapi.Function]func([]byte) (uint64, error){
		apply(tied, "BUCKET", count, "0", 0): p.checkBucket,
		apply(tied, "THRESHOLD", mapi.ThresholdUint64, count, 0, mapi.BoundaryAbove, 0, 1, manyEvents): p.checkThreshold,
		apply(free, "HASHSAMP", 1024, 1): p.checkSample,
	}
	must(tied.Connect(t.Context()))
	must(free.Connect(t.Context()))

	var done atomic.Bool
	var reading sync.WaitGroup
	var reads atomic.Uint64
	for fn, check := range memory {
		for range readers {
			reading.Go(func() { reads.Add(readMemory(t, fn, check, &done)) })
		}
	}
	for fn, check := range series {
		reading.Go(func() { readSeries(t, fn, check, packets) })
	}
	for n := uint64(1); n <= packets && !t.Failed(); n += batch {
		if err := p.send(d.Device("eth0"), n, batch); err != nil {
			t.Error(err)
		}
	}
	done.Store(true)
	must(d.Device("eth0").End(nil)) // ends the series too
	reading.Wait()
	t.Logf("%d reads during %d packets", reads.Load(), packets)
}

// readMemory reads a result until done, and once more.
func readMemory(t *testing.T, fn *mapi.Function, check func([]byte) error, done *atomic.Bool) (reads uint64) {
	for last := false; !last; reads++ {
		last = done.Load()
		r, err := fn.Read()
		if err == nil {
			err = check(r.Res)
		}
		if err != nil {
			t.Errorf("%s: %v", fn.Name(), err)
			return reads
		}
	}
	return reads
}

// readSeries reads a series of numbers to its end: it must be in order, and all
// missing entries must be counted as lost.
func readSeries(t *testing.T, fn *mapi.Function, check func([]byte) (uint64, error), packets uint64) {
	var last, read uint64
	for r, err := range fn.Results(t.Context()) {
		var n uint64
		if err == nil {
			n, err = check(r.Res)
		}
		lost, _ := fn.Lost()
		read++
		if err != nil || n != read+lost {
			t.Errorf("%s: entry %d after %d: %v; %d were read and %d lost", fn.Name(), n, last, err, read, lost)
			return
		}
		last = n
	}
	if last != packets {
		t.Errorf("%s: the last entry is %d, want %d", fn.Name(), last, packets)
	}
}
