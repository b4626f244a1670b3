package mapi_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gomapi/mapi"
	"gomapi/mapi/mapitest"
	"gomapi/mapi/result"
)

// stormLength is the length of all packets of a storm, so a function that
// returns the length has this value or, before the first packet, 0.
const stormLength = 100

// TestReferencesInAStorm connects and closes functions that refer to others, on
// one device and on two, in all orders, while packets pass on both. No reader
// may see a value that its target never had, in particular none of another
// function that now uses the target's memory.
func TestReferencesInAStorm(t *testing.T) {
	const workers, rounds = 4, 12
	d := mapitest.Start(t, mapitest.DeviceSpec{Name: "eth0"}, mapitest.DeviceSpec{Name: "eth1"})
	keeper := d.Client() // keeps the devices open
	var done atomic.Bool
	var sending, working sync.WaitGroup
	for _, name := range []string{"eth0", "eth1"} {
		counting(t, keeper, name, "")
		sending.Go(func() {
			for !done.Load() {
				if err := stormSend(d, name, 1+rand.IntN(40)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range workers {
		working.Go(func() {
			for range rounds {
				if err := (&stormRound{d: d, t: t, file: filepath.Join(t.TempDir(), "rows")}).run(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
	done.Store(true)
	sending.Wait()
}

func stormSend(d *mapitest.Daemon, device string, packets int) error {
	batch := make([]mapitest.Packet, packets)
	for i := range batch {
		batch[i] = mapitest.Packet{Data: make([]byte, stormLength)}
	}
	return d.Device(device).Send(batch...)
}

// A stormRound is one flow with target functions, and one flow that refers to
// them.
type stormRound struct {
	d    *mapitest.Daemon
	t    *testing.T
	file string

	client         *mapi.Client
	target, reader *mapi.Flow
	size, stats    *mapi.Function // of target
	packets, sum   *mapi.Function // of reader, like the following
	bucket, events *mapi.Function
	dist, summed   *mapi.Function
}

func (s *stormRound) run() error {
	s.client = &mapi.Client{Socket: s.d.Socket()}
	defer s.client.Close()
	if err := s.apply(); err != nil {
		return err
	}
	flows := []*mapi.Flow{s.target, s.reader}
	rand.Shuffle(2, func(i, j int) { flows[i], flows[j] = flows[j], flows[i] })
	for _, f := range flows {
		if err := f.Connect(s.t.Context()); err != nil {
			return err
		}
		if err := stormSend(s.d, s.reader.Device(), 1); err != nil {
			return err
		}
	}
	s.traffic(uint64(rand.IntN(200)))
	if err := s.check(); err != nil {
		return err
	}
	switch rand.IntN(4) {
	case 0:
		return s.closeReader()
	case 1: // both at once
		return s.client.Close()
	default:
		return s.closeTarget()
	}
}

// apply creates both flows, each on either device.
func (s *stormRound) apply() (err error) {
	create := func(f **mapi.Flow) {
		if err == nil {
			*f, err = s.client.CreateFlow(s.t.Context(), fmt.Sprint("eth", rand.IntN(2)))
		}
	}
	create(&s.target)
	create(&s.reader)
	apply := func(f *mapi.Flow, name string, args ...any) (fn *mapi.Function) {
		if err == nil {
			fn, err = f.Apply(s.t.Context(), name, args...)
		}
		return fn
	}
	s.size = apply(s.target, "PKTINFO", mapi.PktSize)
	s.stats = apply(s.target, "STATS", s.size, "0")
	s.packets = apply(s.reader, "PKT_COUNTER")
	s.sum = apply(s.reader, "BINOP", mapi.BinopAdd, s.size, s.size)
	s.bucket = apply(s.reader, "BUCKET", s.size, "0", 0)
	s.events = apply(s.reader, "THRESHOLD", mapi.ThresholdUint64, s.size, 0, mapi.BoundaryAbove, 0)
	s.dist = apply(s.reader, "DIST", s.size, "0", itoa(2*stormLength), "1")
	s.summed = apply(s.reader, "STATS", s.size, "0")
	apply(s.reader, "RES2FILE", "1,3", []*mapi.Function{s.size, s.stats}, "rows", s.file, "0", 0)
	return err
}

// traffic waits until the reader has seen this many more packets.
func (s *stormRound) traffic(packets uint64) {
	before, _ := s.packets.Uint64()
	for n := before; n < before+packets; n, _ = s.packets.Uint64() {
		runtime.Gosched()
		if s.t.Failed() {
			return
		}
	}
}

// closeTarget closes the target flow, and creates another flow that gets its
// memory.
func (s *stormRound) closeTarget() error {
	ctx := s.t.Context()
	if err := s.target.Close(ctx); err != nil {
		return err
	}
	squatter, err := s.client.CreateFlow(ctx, s.target.Device())
	if err != nil {
		return err
	}
	ts, err := squatter.Apply(ctx, "PKTINFO", mapi.PktTS)
	if err != nil {
		return err
	}
	if _, err := squatter.Apply(ctx, "STATS", ts, "0"); err != nil {
		return err
	}
	if err := squatter.Connect(ctx); err != nil {
		return err
	}
	for range 3 {
		if err := stormSend(s.d, s.reader.Device(), 1); err != nil {
			return err
		}
		if v, err := s.sum.Uint64(); err != nil || v != uint64(result.BinopNoValue) {
			return fmt.Errorf("sum of a closed flow is %d, %v", v, err)
		}
	}
	if err := s.check(); err != nil {
		return err
	}
	return s.closeReader()
}

func (s *stormRound) closeReader() error {
	if err := s.reader.Close(s.t.Context()); err != nil {
		return err
	}
	if v, err := s.size.Uint64(); err == nil && v != 0 && v != stormLength {
		return fmt.Errorf("the target has %d", v)
	}
	return s.checkRows()
}

// check compares all results with the possible values of the target.
func (s *stormRound) check() error {
	// Its two values may be from before and after the first packet.
	if v, err := s.sum.Uint64(); err != nil || v%stormLength != 0 && v != uint64(result.BinopNoValue) || v > 2*stormLength && v+1 != 0 {
		return fmt.Errorf("sum %d, %v", v, err)
	}
	r, err := s.summed.Read()
	if st, ok := result.ParseStats(r.Res); err != nil || !ok || st.Min != 0 && st.Min != stormLength || st.Max > stormLength {
		return fmt.Errorf("STATS %+v, %v", st, err)
	}
	r, err = s.dist.Read()
	if dist, ok := result.ParseDist(r.Res); err != nil || !ok || distinct(dist.Counts) {
		return fmt.Errorf("DIST %v, %v", dist.Counts, err)
	}
	for _, fn := range []*mapi.Function{s.bucket, s.events} {
		for {
			r, ok, err := fn.TryReadNext()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			// Entries of both have the value at the same offset.
			if e, _ := result.ParseBucket(r.Res); e.Value != 0 && e.Value != stormLength {
				return fmt.Errorf("%s has %+v", fn.Name(), e)
			}
		}
	}
	return nil
}

// distinct reports whether values were counted that the target never had.
func distinct(counts []uint64) bool {
	for i, n := range counts {
		if n != 0 && i != 0 && i != stormLength {
			return true
		}
	}
	return false
}

// checkRows checks the file of RES2FILE: the statistics are consistent.
func (s *stormRound) checkRows() error {
	f, err := os.Open(s.file)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := bufio.NewScanner(f)
	rows.Scan()
	for rows.Scan() {
		var size, count uint64
		var sum, sum2, smallest, largest float64
		if _, err := fmt.Sscan(rows.Text(), &size, &count, &sum, &sum2, &smallest, &largest); err != nil {
			return fmt.Errorf("row %q: %w", rows.Text(), err)
		}
		if size != 0 && size != stormLength || sum != float64(count*stormLength) || sum2 != float64(count*stormLength*stormLength) ||
			smallest != largest || strings.Count(rows.Text(), ".") != 4 {
			return fmt.Errorf("row %q", rows.Text())
		}
	}
	return rows.Err()
}
