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

// capture returns a capture file with so many packets, which it generates when it is not
// there, and has all of it in the page cache.
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
	tasks, functions []string // of the flows
	competitor       func() (cpu time.Duration, counts []tracegen.Count)
	sample           int              // packets that it reads
	want, part       []tracegen.Count // of the file; of the sample
}

// measureFile makes the rounds, mapid and the competitor in turn.
func (b *bench) measureFile(ctx context.Context, what string, w fileWorkload) duel {
	return inTurn(fmt.Sprintf("%s, %d", what, len(w.tasks)), b.rounds, func() []sample {
		r, counts := b.readFile(ctx, w, b.packets)
		compareCounts("mapid", counts, w.want)
		return []sample{r}
	}, func() []sample {
		cpu, counts := w.competitor()
		compareCounts("the competitor", counts, w.part)
		return []sample{{arrived: uint64(w.sample), cpu: cpu}}
	})[0]
}

// readFile has a fresh mapid read so many packets with the flows of a workload.
func (b *bench) readFile(ctx context.Context, w fileWorkload, packets int) (sample, []tracegen.Count) {
	m := b.startDaemon(ctx, "")
	defer m.stop()
	dev := must(m.clients[0].CreateOfflineDevice(ctx, b.capture(packets), mapi.FormatPCAP))
	m.connect(ctx, dev.Name(), 1, calls, w.tasks, w.functions)
	m.rest(ctx, dev.Name())
	before := m.cpu()
	check(dev.Start(ctx))
	check(dev.Wait(ctx))
	r := sample{arrived: uint64(packets), cpu: m.cpu() - before, setup: m.setup, memory: m.memory}
	counts := make([]tracegen.Count, len(w.tasks))
	for i, f := range m.flows {
		counts[i] = f.count()
		r.matches += counts[i].Packets
	}
	return r, counts
}

// compareCounts fails when somebody has not counted what it must: in all flows, or one in so
// many.
func compareCounts(who string, got, want []tracegen.Count) {
	every := len(got) / len(want)
	for i := range want {
		if got[i*every] != want[i] {
			fail("%s: flow %d of %d has counted %+v, want %+v",
				who, i*every+1, len(got), got[i*every], want[i])
		}
	}
}

// fileCounting measures counting the packets of the file, beside tcpdump.
func (b *bench) fileCounting(ctx context.Context) (t rows) {
	for _, c := range []struct {
		name   string
		filter []string
		target int // ns a packet
	}{
		{"PKT_COUNTER", nil, 50},
		{`BPF_FILTER "tcp and dst port 80", PKT_COUNTER`, []string{"tcp and dst port 80"}, 75},
	} {
		w := fileWorkload{tasks: []string{""}, functions: counter, sample: b.packets}
		if c.filter != nil {
			w.tasks = filterTasks(c.filter)
		}
		w.competitor = func() (time.Duration, []tracegen.Count) { return b.readTcpdump(ctx, c.filter...) }
		_, w.want = w.competitor()
		w.part = w.want
		d := b.measureFile(ctx, c.name, w)
		t.add(c.name, w.want[0].Packets, d.boths(1, sample.ns), d.ratio(2, sample.ns), c.target,
			d.cycles(sample.ns))
	}
	return t
}
