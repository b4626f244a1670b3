// Bench measures what the daemon costs, beside what a user would run instead, in
// one run on one machine. docs/bench.md describes the method.
//
// The parts are a file each. Those of a capture file are file.go and packets.go;
// those of an interface, for which it makes a network namespace of its own, are
// counting.go, delay.go, idle.go and setup.go. A part returns its section of the
// report, or an error when a count is not what it must be.
//
//	go run ./internal/bench [-rounds N] [-only PART] [-o FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"gomapi/internal/testnet"
)

// bench says with what and how long to measure.
type bench struct {
	bin, dir   string        // the daemon, and a folder for files
	only       string        // the one part to make, empty for all
	rounds     int           // of the measurements of the file
	longRounds int           // of those on an interface
	sizes      []int         // of frames, in bytes without FCS
	shares     []float64     // of the most that the sender reaches, besides all
	burst      time.Duration // sending as fast as it goes; lower rates take longer
	stamped    int           // packets whose delay is measured
	silence    time.Duration // without packets
	idleFlows  crowd         // connected meanwhile
	waiting    int           // and clients that wait for a packet
	crowds     []crowd       // that set up flows

	flows        []int         // of the experiments with ports
	searches     []int         // flows that search the file
	samplers     []int         // programs that sample
	searchers    []int         // programs that search
	mostPrograms int           // of libpcap at a time
	rates        []float64     // Mbit/s for flows on the interface, rising
	teamRates    []float64     // Mbit/s for programs
	streamLength time.Duration // of sending at each rate
	mixedFilters int
	audience     int           // clients with the same flow
	churn        int           // flows that come and go
	changeLength time.Duration // of changing flows under way
	limit        time.Duration // for setting up and measuring once
	trace        string        // the capture file
	pictures     []picture
}

// crowd is a number of clients with as many flows each.
type crowd struct{ clients, flows int }

// full is how the report is made.
func full() *bench {
	return &bench{
		rounds: 9, longRounds: 3,
		sizes: []int{64, 1460}, shares: []float64{0.25, 0.5, 0.75}, burst: 400 * time.Millisecond,
		stamped: 2000, silence: 10 * time.Second,
		idleFlows: crowd{10, 100}, waiting: 100,
		crowds: []crowd{{1, 1000}, {100, 10}, {100, 100}},
		flows:  []int{1, 10, 100, 600, 1000, 10_000, 60_000}, searches: []int{1, 50, 1000, 10_000},
		samplers: []int{1, 2, 5, 10, 20, 50, 100}, searchers: []int{1, 5, 10, 50, 100, 1000}, mostPrograms: 1000,
		rates: []float64{100, 200, 300, 400, 500, 600, 700, 1000, 2000, 4000}, teamRates: []float64{100, 500},
		streamLength: 600 * time.Millisecond, mixedFilters: 10_000, audience: 1000,
		churn: 20_000, changeLength: 4 * time.Second, limit: 30 * time.Second,
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	// The kernel ends the daemons and the tcpdumps with the thread that started
	// them: this one.
	runtime.LockOSThread()
	b := full()
	flag.IntVar(&b.rounds, "rounds", b.rounds, "how often each measurement of the file is made; those on an interface at most 3 times")
	flag.StringVar(&b.bin, "mapid", "bin/mapid", "the daemon to measure")
	flag.StringVar(&b.dir, "dir", "bench", "folder for the capture file, which stays there")
	flag.StringVar(&b.only, "only", "", "measure only these `PARTS`, a list with commas: "+strings.Join(partNames(), ", "))
	flag.IntVar(&b.churn, "churn", b.churn, "flows that come and go")
	out := flag.String("o", "", "write the report to this file as well")
	flag.Parse()
	b.longRounds = min(b.rounds, b.longRounds)
	report, err := b.run(context.Background(), &console{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(report), 0o644); err != nil {
			log.Fatal(err)
		}
		if err := b.writePictures(strings.TrimSuffix(*out, ".md")); err != nil {
			log.Fatal(err)
		}
	}
}

// A part measures something and returns its section of the report.
type part struct {
	name    string
	measure func(context.Context) (string, error)
}

// fileParts are about the capture file.
func (b *bench) fileParts() []part {
	return []part{{"file", b.file}, {"packets", b.packets}, {"ports", b.ports}, {"mixed", b.mixed}, {"strings", b.strings}}
}

// liveParts need a network.
func (b *bench) liveParts(ns *testnet.NS) []part {
	var parts []part
	for _, p := range []struct {
		name    string
		measure func(context.Context, *testnet.NS) (string, error)
	}{
		{"counting", b.counting}, {"delay", b.delay}, {"idle", b.idle}, {"setup", b.setup}, {"liveports", b.livePorts}, {"audience", b.sameFlows},
		{"sampling", b.sampling}, {"searching", b.searching}, {"churn", b.comeAndGo}, {"changes", b.changes},
	} {
		parts = append(parts, part{p.name, func(ctx context.Context) (string, error) { return p.measure(ctx, ns) }})
	}
	return parts
}

func partNames() (names []string) {
	var b bench
	for _, p := range append(b.fileParts(), b.liveParts(nil)...) {
		names = append(names, p.name)
	}
	return names
}

// run measures everything and returns the report.
func (b *bench) run(ctx context.Context, t testnet.TB) (string, error) {
	var err error
	if b.trace, err = trafficFile(b.dir); err != nil {
		return "", err
	}
	if err := b.buildPrograms(); err != nil {
		return "", err
	}
	sections, err := b.measure(ctx, b.fileParts())
	if err != nil {
		return "", err
	}
	live, err := b.live(ctx, t)
	if err != nil {
		return "", err
	}
	return strings.Join(append(append([]string{head()}, sections...), live...), "\n"), nil
}

func (b *bench) wanted(part string) bool {
	return b.only == "" || slices.Contains(strings.Split(b.only, ","), part)
}

func (b *bench) measure(ctx context.Context, parts []part) (sections []string, err error) {
	for _, p := range parts {
		if !b.wanted(p.name) {
			continue
		}
		start := time.Now()
		section, err := p.measure(ctx)
		if err != nil {
			return sections, fmt.Errorf("%s: %w", p.name, err)
		}
		progress("%s took %.0f s", p.name, time.Since(start).Seconds())
		sections = append(sections, section)
	}
	return sections, nil
}

// live measures on an interface, for which it must be root.
func (b *bench) live(ctx context.Context, t testnet.TB) (sections []string, err error) {
	if os.Geteuid() != 0 {
		why := "needs root, for a network namespace of its own"
		log.Print("live capture is left out: ", why)
		return []string{"## Live capture\n\nLeft out: " + why + ".\n"}, nil
	}
	testnet.Run(t, func(ns *testnet.NS) { sections, err = b.measure(ctx, b.liveParts(ns)) })
	return sections, err
}
