package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// capture returns the capture file with so many packets, which it generates when it is
// not there, and has all of it in the page cache.
func (b *bench) capture(packets int) string {
	path := filepath.Join(b.dir, fmt.Sprintf("traffic-%d.pcap", packets))
	if _, err := os.Stat(path); err != nil {
		f := must(os.Create(path + ".new"))
		defer f.Close()
		must(tracegen.Write(f, packets, 1))
		check(os.Rename(f.Name(), path))
	}
	f := must(os.Open(path))
	defer f.Close()
	must(io.Copy(io.Discard, f))
	return path
}

// A fileWorkload is a number of flows on the capture file, and the same for a competitor,
// which reads only the first packets when there are many: its cost for each is their number
// times that of one.
type fileWorkload struct {
	flows      int
	calls      func(i int) []call
	want       []tracegen.Count                                            // what flows count
	step       int                                                         // one flow in so many is in want
	competitor func(ctx context.Context) (time.Duration, []tracegen.Count) // its CPU time, and what it has counted
	sample     int                                                         // packets that it reads
	part       []tracegen.Count                                            // what it must count, nil when that is not known
}

// fileResult is what the rounds of a file workload have given.
type fileResult struct {
	mapid, competitor samples // ns a packet
	setup             samples // s, until all flows are connected
	memory            uint64  // of mapid then, in bytes
	counts            []tracegen.Count
}

// measureFile makes the rounds, mapid and the competitor in turn; fewer when they take long.
func (b *bench) measureFile(ctx context.Context, w fileWorkload, rounds int) (r fileResult) {
	const long = 13 * time.Second
	d := b.startDaemon(ctx, "")
	defer d.stop()
	for start, round := time.Now(), 0; round < rounds && (round == 0 || time.Since(start) < long); round++ {
		b.readFile(ctx, d, b.packets, w, &r)
		var got []tracegen.Count
		for i := range w.want {
			got = append(got, r.counts[i*w.step])
		}
		compareCounts("mapid", got, w.want)
		cpu, counts := w.competitor(ctx)
		if w.part == nil {
			w.part = counts
		}
		compareCounts("the competitor", counts, w.part)
		r.competitor = append(r.competitor, float64(cpu)/float64(w.sample))
	}
	return r
}

// readFile has mapid read so many packets with the flows of a workload.
func (b *bench) readFile(ctx context.Context, d *mapid, packets int, w fileWorkload, r *fileResult) {
	dev := must(d.client.CreateOfflineDevice(ctx, b.capture(packets), mapi.FormatPCAP))
	start := time.Now()
	flows := newFlows(ctx, d.client, dev.Name(), w.flows, concurrency, w.calls)
	r.setup = append(r.setup, time.Since(start).Seconds())
	r.memory = max(r.memory, memoryOf(d.pid()))
	d.awaitRest(ctx, dev.Name())
	r.memory = max(r.memory, memoryOf(d.pid()))
	before := d.cpu()
	check(dev.Start(ctx))
	check(dev.Wait(ctx))
	r.mapid = append(r.mapid, float64(d.cpu()-before)/float64(packets))
	r.counts = countsOf(flows)
	check(dev.Delete(ctx))
}

// compareCounts fails when somebody has not counted what it must.
func compareCounts(who string, got, want []tracegen.Count) {
	for i := range want {
		if got[i] != want[i] {
			fail("%s: flow %d of %d has counted %+v, want %+v", who, i+1, len(want), got[i], want[i])
		}
	}
}

// counting measures counting the packets of the file, beside tcpdump.
func (b *bench) counting(ctx context.Context, _ link) string {
	const expression = "tcp and dst port 80"
	t := newTable("functions of the flow", "packets", "mapid", "tcpdump --count", "mapid / tcpdump", "target", "cycles: mapid", "tcpdump")
	for _, row := range []struct {
		name   string
		filter []string
		calls  []call
		target int // ns a packet
	}{
		{"PKT_COUNTER", nil, []call{{"PKT_COUNTER"}}, 50},
		{`BPF_FILTER "` + expression + `", PKT_COUNTER`, []string{expression}, []call{filter(expression), {"PKT_COUNTER"}}, 75},
	} {
		log.Printf("counting in a file: %s", row.name)
		_, want := b.countTcpdump(ctx, row.filter...)
		r := b.measureFile(ctx, fileWorkload{
			flows: 1, calls: func(int) []call { return row.calls }, want: want, step: 1, sample: b.packets, part: want,
			competitor: func(ctx context.Context) (time.Duration, []tracegen.Count) { return b.countTcpdump(ctx, row.filter...) },
		}, b.rounds)
		m, c := r.mapid.median(), r.competitor.median()
		t.row(row.name, want[0].Packets, r.mapid.both(1), r.competitor.both(1), fixed(m/c, 2), row.target, cycles(m), cycles(c))
	}
	return section("Counting in a file", t,
		"%d packets, in the page cache, one pass. CPU time in nanoseconds per packet of the file, median (minimum) of %d rounds; "+
			"of mapid with its children from start to end of the file, of tcpdump of the whole process. "+
			"Cycles at the clock rate that /proc/cpuinfo shows.", b.packets, b.rounds)
}
