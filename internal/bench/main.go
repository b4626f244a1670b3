// Bench measures what the daemon costs, beside what a user would run instead, in
// one run on one machine. docs/bench.md describes the method.
//
// The parts are listed in parts.go and are a file each. A part returns its section of
// the report, or an error when a count is not what it must be. Those of an interface
// have a network namespace of their own.
//
// Three kinds of parts share their way of measuring. A trial is many flows on the
// capture file. A crew is many programs, or flows, that see the packets of a stream
// together: crew_mapi.go, crew_members.go and crew_libpcap.go. A team is a crew of each
// side doing the same. The programs that use libpcap are in libpcap/programs.c, the one
// that uses mapi is the command reader.
//
//	go run ./internal/bench [-rounds N] [-only PARTS] [-churn N] [-o FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
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
	paper

	trace    string // the capture file
	traceLen int    // packets in it
	gallery  string // folder for pictures
	pictures []picture
}

// paper says how large the experiments of the paper are.
type paper struct {
	flows        []int         // with a port each
	searches     []int         // flows that search the file
	samplers     []int         // programs that sample
	searchers    []int         // programs that search
	mostPrograms int           // of libpcap at a time
	rates        []float64     // Mbit/s for flows on the interface, rising
	teamRates    []float64     // Mbit/s for programs
	streamLength time.Duration // of sending at each rate
	mixedFilters int
	audience     int           // programs with the same flow
	churn        int           // flows that come and go
	changeLength time.Duration // of changing flows under way
	limit        time.Duration // for setting up; half of it for reading a file once
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
		paper: paper{
			flows: []int{1, 10, 100, 600, 1000, 10_000, 60_000}, searches: []int{1, 50, 1000, 10_000},
			samplers: []int{1, 2, 5, 10, 20, 50, 100}, searchers: []int{1, 5, 10, 50, 100, 1000}, mostPrograms: 1000,
			rates: []float64{100, 300, 500, 700, 1000, 2000, 4000}, teamRates: []float64{100, 500}, streamLength: 600 * time.Millisecond,
			mixedFilters: 10_000, audience: 1000, churn: 20_000, changeLength: 4 * time.Second, limit: 40 * time.Second,
		},
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
	if err := b.checkParts(); err != nil {
		log.Fatal(err)
	}
	b.gallery = filepath.Join(b.dir, "performance")
	if *out != "" {
		b.gallery = strings.TrimSuffix(*out, ".md")
	}
	report, err := b.run(context.Background(), &console{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(report), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	if err := b.writePictures(); err != nil {
		log.Fatal(err)
	}
}

// run measures everything and returns the report.
func (b *bench) run(ctx context.Context, t testnet.TB) (string, error) {
	var err error
	if b.trace, err = trafficFile(b.dir); err != nil {
		return "", err
	}
	b.traceLen = tracegen.BenchPackets
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
