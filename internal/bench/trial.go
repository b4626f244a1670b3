package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"gomapi/internal/bench/plot"
	"gomapi/internal/books"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// A trial is a number of flows on the capture file, in mapid and in a program that
// uses libpcap. That reads only the first packets when there are many flows, as its
// cost for each is their number times that of one.
type trial struct {
	calls  []call   // the first function of each flow
	tasks  []string // the same for the libpcap program
	sample int      // packets that it reads
	rounds int
	whole  []tracegen.Count // what the file has, nil when that is not known
	part   []tracegen.Count // what the sample has; nil: as libpcap says

	counts         []tracegen.Count // as mapid says
	mapid, libpcap []float64        // ns a packet
	setup          []float64        // s, until all flows are connected
	memory         uint64           // of mapid then, in bytes
	slow           string           // what took too long, if it did
}

// try makes the rounds, mapid and libpcap in turn; fewer when they take long.
func (b *bench) try(ctx context.Context, t *trial) error {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return err
	}
	defer d.stop()
	for start, round := time.Now(), 0; round < t.rounds && (round == 0 || time.Since(start) < b.limit/3); round++ {
		if t.slow == "" {
			if err := b.mapidRound(ctx, d, t); err != nil {
				return err
			}
		}
		cpu, counts, err := b.offline(ctx, t.sample, t.tasks)
		if err != nil {
			return err
		}
		if t.part == nil {
			t.part = counts
		}
		if err := compareCounts("libpcap", counts, t.part); err != nil {
			return err
		}
		t.libpcap = append(t.libpcap, float64(cpu)/float64(t.sample))
	}
	return nil
}

// mapidRound sets the flows up, has the file read, and compares the counts. What takes
// longer than the limit is written down as such.
func (b *bench) mapidRound(ctx context.Context, d *daemon, t *trial) error {
	r, err := d.replay(ctx, b.trace, t.calls, b.limit)
	t.memory = max(t.memory, r.memory)
	if r.setup > 0 {
		t.setup = append(t.setup, r.setup.Seconds())
	}
	if errors.Is(err, errSlow) {
		t.slow = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	if t.whole != nil {
		if err := compareCounts("mapid", r.counts, t.whole); err != nil {
			return err
		}
	}
	t.counts = r.counts
	t.mapid = append(t.mapid, float64(r.cpu)/float64(b.traceLen))
	return nil
}

// replayed is what one reading of a capture file gave.
type replayed struct {
	setup, cpu time.Duration
	memory     uint64
	counts     []tracegen.Count
}

// replay reads a capture file with a flow for each call. It returns errSlow when
// setting the flows up takes longer than the limit, or reading longer than half of it.
func (d *daemon) replay(ctx context.Context, path string, calls []call, limit time.Duration) (r replayed, err error) {
	dev, err := d.client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		return r, err
	}
	defer func() {
		if errors.Is(err, errSlow) {
			return // deleting it would be slow too; it ends with its daemon
		}
		err = errors.Join(err, dev.Delete(ctx))
	}()
	var members []member
	start := time.Now()
	err = within(ctx, limit, func(ctx context.Context) error {
		members, err = joinAll(ctx, d.client, dev.Name(), calls)
		return err
	})
	if err != nil {
		return r, err
	}
	r.setup = time.Since(start)
	if r.memory, err = memoryOf(d.pid()); err != nil {
		return r, err
	}
	if err = within(ctx, limit, func(ctx context.Context) error { return d.atRest(ctx, dev.Name()) }); err != nil {
		return r, err
	}
	settled, err := memoryOf(d.pid())
	if err != nil {
		return r, err
	}
	r.memory = max(r.memory, settled)
	if err := cache(path); err != nil {
		return r, err
	}
	err = within(ctx, limit/2, func(ctx context.Context) error {
		r.cpu, err = d.timeReading(ctx, dev)
		return err
	})
	if err != nil {
		return r, err
	}
	r.counts, err = counted(members)
	return r, err
}

// settled waits until all flows of a device are decided together.
func settled(ctx context.Context, c *mapi.Client, device string) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		b, err := c.Books(ctx, device)
		if err != nil {
			return err
		}
		for _, n := range b.Notes {
			if n.Name == books.Unmerged && n.Value == 0 {
				return nil
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// atRest waits until all flows of a device are decided together, and the daemon has done
// with what setting them up has left behind: until it uses no CPU time for a moment.
func (d *daemon) atRest(ctx context.Context, device string) error {
	const moment = 100 * time.Millisecond
	if err := settled(ctx, d.client, device); err != nil {
		return err
	}
	for {
		before, err := cpuOfTree(d.pid())
		if err != nil {
			return err
		}
		select {
		case <-time.After(moment):
		case <-ctx.Done():
			return ctx.Err()
		}
		after, err := cpuOfTree(d.pid())
		if err != nil || after-before < moment/100 {
			return err
		}
	}
}

// cache reads a file, so that the next who does finds it in the page cache.
func cache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// within runs f, and returns errSlow when it takes longer.
func within(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := f(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: over %.0f s", errSlow, limit.Seconds())
	}
	return err
}

// timeReading has a device read and returns the CPU time that it took.
func (d *daemon) timeReading(ctx context.Context, dev *mapi.OfflineDevice) (time.Duration, error) {
	before, err := cpuOfTree(d.pid())
	if err != nil {
		return 0, err
	}
	if err := dev.Start(ctx); err != nil {
		return 0, err
	}
	if err := dev.Wait(ctx); err != nil {
		return 0, err
	}
	after, err := cpuOfTree(d.pid())
	return after - before, err
}

// trialRounds is fewer for many flows, which take long to set up.
func (b *bench) trialRounds(flows int) int {
	switch {
	case flows <= 1000:
		return min(5, b.rounds)
	case flows <= 10_000:
		return min(3, b.rounds)
	}
	return min(2, b.rounds)
}

// cells are the columns that all trials have in common: see trialColumns.
func (t *trial) cells() []any {
	setup := ""
	if len(t.setup) > 0 {
		s := summarize(t.setup)
		setup = fmt.Sprintf("%.2f (%.2f)", s.median, s.least)
	}
	libpcap := summarize(t.libpcap)
	if t.slow != "" {
		return []any{"", t.slow, "", libpcap.String(), t.sample, "", setup, mib(t.memory)}
	}
	mapid := summarize(t.mapid)
	return []any{sumOf(t.counts), mapid.String(), cycles(mapid.median), libpcap.String(), t.sample,
		fmt.Sprintf("%.4f", mapid.median/libpcap.median), setup, mib(t.memory)}
}

var trialColumns = []string{"flows", "matches", "mapid", "cycles", "libpcap", "of packets", "mapid / libpcap", "set up, s", "mapid's memory, MiB"}

// trialLines are the lines of a chart.
func trialLines(trials []*trial) []plot.Series {
	mapid, libpcap := plot.Series{Name: "mapid"}, plot.Series{Name: "libpcap", Dashed: true}
	for _, t := range trials {
		n := float64(len(t.calls))
		if t.slow == "" {
			mapid.Points = append(mapid.Points, plot.Point{X: n, Y: summarize(t.mapid).median})
		}
		libpcap.Points = append(libpcap.Points, plot.Point{X: n, Y: summarize(t.libpcap).median})
	}
	return []plot.Series{mapid, libpcap}
}
