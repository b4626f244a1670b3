package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/foreign"
	"gomapi/internal/funccall"
	"gomapi/internal/shm"
)

// A tape is a file driver whose files have the same packets, of two link types.
type tape struct{ packets int }

func (d tape) OpenFile(_ context.Context, f *foreign.File) (drivers.Device, error) {
	f.Close()
	return &reel{packets: d.packets}, nil
}

type reel struct{ packets int }

func (r *reel) Info() drivers.Info {
	return drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, Snap: 65535}
}
func (r *reel) Stats() drivers.Stats { return drivers.Stats{} }
func (r *reel) Close() error         { return nil }

// Run delivers batches without a pause. The packets have the ports in turn.
func (r *reel) Run(ctx context.Context, s drivers.Sink) error {
	batch := make([]drivers.Packet, drivers.MaxBatch)
	for n := 0; n < r.packets && ctx.Err() == nil; n += len(batch) {
		for i := range batch {
			batch[i] = udp(uint16(i%64), uint32(n+i))
			if n/len(batch)%8 == 7 && i%2 == 1 {
				batch[i].Link, batch[i].LinkType = batch[i].Link[14:], rawIP
			}
		}
		s.Batch(batch)
	}
	return nil
}

// tape opens a file of the tape driver.
func (c *client) tape() string {
	f, err := os.Open(os.DevNull)
	if err != nil {
		c.t.Error(err)
		return ""
	}
	own, err := foreign.Own(f)
	if err != nil {
		c.t.Error(err)
		return ""
	}
	name, err := c.CreateOffline(context.Background(), own, "tape", drivers.FormatPCAP)
	if err != nil {
		c.t.Error(err)
	}
	return name
}

// read is a program that reads a file with many flows, closes some of them meanwhile and
// checks the counts of the others.
func (c *client) read(rnd *rand.Rand, packets int) {
	name := c.tape()
	var counters []*shm.Reader
	var passing []int32
	for i := range 64 {
		functions := [][]any{fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", i)), fn("PKT_COUNTER")}
		if rnd.IntN(2) == 0 {
			functions = append(functions, fn("BYTE_COUNTER"))
		}
		fd, r := c.flowOn(name, functions...)
		counters = append(counters, r[1])
		more, _ := c.flowOn(name, fn("STR_SEARCH", "|00 35|", int64(0), int64(0)), fn("PKT_COUNTER"))
		passing = append(passing, more)
		for _, fd := range []int32{fd, more} {
			if err := c.Connect(context.Background(), fd); err != nil {
				c.t.Error(err)
			}
		}
		if i%8 == 7 {
			infos, _ := c.Functions(fd)
			reader, _ := c.flowOn(name, fn("PEEK", int64(fd), int64(infos[1].FID)))
			if err := c.Connect(context.Background(), reader); err != nil {
				c.t.Error(err)
			}
		}
	}
	if err := c.StartOffline(name); err != nil {
		c.t.Error(err)
	}
	for _, fd := range passing {
		if err := c.CloseFlow(fd); err != nil {
			c.t.Error(err)
		}
	}
	<-c.ended
	for i, r := range counters {
		wantCount(c.t, fmt.Sprintf("port %d of the file", i), r, uint64(packets/64))
	}
	for _, f := range c.Flows() {
		if !f.Books.Balances() {
			c.t.Errorf("flow %d of a file: %+v", f.FD, f.Books)
		}
	}
	if rnd.IntN(2) == 0 {
		if err := c.DeleteOffline(name); err != nil {
			c.t.Error(err)
		}
	}
}

// churn is a program whose flows on the live device come, go and refer to each other.
func (c *client) churn(rnd *rand.Rand, rounds int) {
	ctx := context.Background()
	var fds []int32
	for range rounds {
		if len(fds) > 60 || len(fds) > 0 && rnd.IntN(3) == 0 {
			i := rnd.IntN(len(fds))
			if err := c.CloseFlow(fds[i]); err != nil {
				c.t.Error(err)
			}
			fds[i] = fds[len(fds)-1]
			fds = fds[:len(fds)-1]
			continue
		}
		f, err := c.CreateFlow(ctx, "net0")
		if err != nil {
			continue // the device has just failed
		}
		apply := func(function ...any) {
			if _, err := c.Apply(ctx, f.FD, function[0].(string), function[1:]); err != nil {
				c.t.Error(err)
			}
		}
		apply("BPF_FILTER", fmt.Sprintf("udp dst port %d", rnd.IntN(8)))
		if rnd.IntN(3) == 0 {
			apply("STR_SEARCH", fmt.Sprintf("|00 %02x|", rnd.IntN(8)), int64(0), int64(0))
		}
		apply("PKT_COUNTER")
		if len(fds) > 0 && rnd.IntN(6) == 0 {
			fd := fds[rnd.IntN(len(fds))]
			infos, _ := c.Functions(fd)
			for _, info := range infos {
				if info.Name == "PKT_COUNTER" {
					apply("PEEK", int64(fd), int64(info.FID))
				}
			}
		}
		if err := c.Connect(ctx, f.FD); err != nil && !errors.Is(err, os.ErrClosed) { // the error of the failing device
			c.t.Error(err)
		}
		fds = append(fds, f.FD)
		if rnd.IntN(20) == 0 {
			for _, f := range c.Flows() {
				if !f.Books.Balances() {
					c.t.Errorf("flow %d: %+v", f.FD, f.Books)
				}
			}
		}
	}
}

// peeks is a library with a function that reads another one's result.
var peeks = flib.Library{Name: "peeks", Functions: []flib.Def{{
	Name: "PEEK", Args: []flib.Arg{{Name: "fd", Kind: flib.Flow}, {Name: "fid", Kind: flib.Func}},
	New: func(_ context.Context, env flib.Env, a flib.Args) (flib.Function, error) {
		ref, err := env.Refer(a.Int(0), a.Int(1))
		return peek{ref}, err
	},
}}}

type peek struct{ *flib.Ref }

func (p peek) Process(in []*flib.Packet) []*flib.Packet {
	p.Value()
	return in
}

// Programs of all kinds run at once, on a device that fails from time to time. Functions that let
// everything through are forced on one user.
func TestStress(t *testing.T) {
	b := newBed(t, peeks)
	const packets = 64 * drivers.MaxBatch
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{packets})
	b.engine.opts.Log = func(string, ...any) {}
	b.engine.opts.Forced = func(o Owner, _ string) []funccall.Call {
		if o.UID != 1 {
			return nil
		}
		return []funccall.Call{callOf("BPF_FILTER", "udp"), callOf("SAMPLE", int64(1), int64(2))}
	}
	stop := make(chan struct{})
	var sender, programs sync.WaitGroup
	sender.Go(func() {
		for n := uint32(0); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			var batch []drivers.Packet
			for i := range uint16(32) {
				batch = append(batch, udp(i%8, n))
			}
			_ = b.source.Send(batch...) // the device may be closed just now
			if n%500 == 499 {
				b.source.End(os.ErrClosed)
			}
		}
	})
	for uid := range uint32(3) {
		live, file := b.client(uid), b.client(uid)
		live.ended = make(chan error, 1<<16)
		programs.Go(func() { live.churn(rand.New(rand.NewPCG(uint64(uid), 1)), 2000) })
		programs.Go(func() {
			for i := range 4 {
				file.read(rand.New(rand.NewPCG(uint64(uid), uint64(i))), packets)
			}
			file.Close()
		})
	}
	programs.Wait()
	b.engine.Close()
	close(stop)
	sender.Wait()
}
