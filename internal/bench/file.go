package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// capture returns the capture file, which it generates when it is not there, and has all of
// it in the page cache.
func (b *bench) capture() string { return b.captureOf(b.packets) }

func (b *bench) captureOf(packets int) string {
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
	competitor func(ctx context.Context) (time.Duration, []tracegen.Count) // its CPU time, and what it counts
	sample     int                                                         // packets that it reads
	want, part []tracegen.Count                                            // in the file; in the sample
}

// measureFile makes the rounds, mapid and the competitor in turn.
func (b *bench) measureFile(ctx context.Context, what string, w fileWorkload) (mapid, competitor results) {
	all := inTurn(what, b.rounds, func() sample {
		r, counts := b.readFile(ctx, w, b.packets)
		compareCounts("mapid", counts, w.want)
		return r
	}, func() sample {
		cpu, counts := w.competitor(ctx)
		compareCounts("the competitor", counts, w.part)
		return sample{arrived: uint64(w.sample), cpu: cpu}
	})
	return all[0], all[1]
}

// readFile has a fresh mapid read so many packets with the flows of a workload.
func (b *bench) readFile(ctx context.Context, w fileWorkload, packets int) (sample, []tracegen.Count) {
	m := b.startDaemon(ctx, "")
	defer m.stop()
	dev := must(m.clients[0].CreateOfflineDevice(ctx, b.captureOf(packets), mapi.FormatPCAP))
	m.connect(ctx, dev.Name(), clients{1, w.flows}, concurrency, w.calls)
	m.rest(ctx, dev.Name())
	before := m.cpu()
	check(dev.Start(ctx))
	check(dev.Wait(ctx))
	r := sample{arrived: uint64(packets), cpu: m.cpu() - before, setup: m.setup, memory: m.memory}
	counts := countsOf(m.flows)
	for _, c := range counts {
		r.matches += c.Packets
	}
	return r, counts
}

// compareCounts fails when somebody has not counted what it must: all flows, or one in so many.
func compareCounts(who string, got, want []tracegen.Count) {
	every := len(got) / len(want)
	for i := range want {
		if got[i*every] != want[i] {
			fail("%s: flow %d of %d has counted %+v, want %+v", who, i*every+1, len(got), got[i*every], want[i])
		}
	}
}

// fileCounting measures counting the packets of the file, beside tcpdump.
func (b *bench) fileCounting(ctx context.Context) *table {
	const expression = "tcp and dst port 80"
	t := newTable("Counting in a file", "functions of the flow | packets | mapid | tcpdump --count | "+
		"mapid / tcpdump | target | cycles: mapid | tcpdump")
	t.text = fmt.Sprintf("%d packets, in the page cache, one pass. CPU time in nanoseconds per packet of the file, "+
		"median (minimum) of %d rounds; of mapid with its children from start to end of the file, "+
		"of tcpdump of the whole process. Cycles at the clock rate that /proc/cpuinfo shows.", b.packets, b.rounds)
	for _, c := range []struct {
		name   string
		filter []string
		calls  []call
		target int // ns a packet
	}{
		{"PKT_COUNTER", nil, []call{{"PKT_COUNTER"}}, 50},
		{`BPF_FILTER "` + expression + `", PKT_COUNTER`,
			[]string{expression}, []call{filter(expression), {"PKT_COUNTER"}}, 75},
	} {
		competitor := func(ctx context.Context) (time.Duration, []tracegen.Count) {
			return b.readTcpdump(ctx, c.filter...)
		}
		_, want := competitor(ctx)
		mapid, tcpdump := b.measureFile(ctx, "counting in a file", fileWorkload{
			flows: 1, calls: func(int) []call { return c.calls },
			competitor: competitor, sample: b.packets, want: want, part: want,
		})
		m, d := mapid.of(sample.ns), tcpdump.of(sample.ns)
		t.row(c.name, want[0].Packets, m.both(1), d.both(1), fixed(m.median()/d.median(), 2), c.target,
			m.cycles(), d.cycles())
	}
	return t
}
