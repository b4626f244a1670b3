// Bench measures what the daemon costs, beside what a user would run instead, in
// one run on one machine. docs/bench.md describes the method.
//
// The report has sections, its parts, which are listed in parts.go. In a section a
// workload is given to two subjects in turn: mapid, and a competitor that does the same.
// A workload of the capture file is in file.go, one of the interface in session.go.
//
//	go run ./internal/bench [-rounds N] [-only PARTS] [-churn N] [-o FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// bench says with what and how long to measure.
type bench struct {
	bin, dir, charts string // the daemon, a folder for files, one for charts
	only             string // parts to make, empty for all
	packets          int    // of the capture file
	rounds           int    // of the measurements of the file
	liveRounds       int    // of those on an interface

	flows        []int // numbers of flows, a port each
	equalFlows   []int // that are all the same
	mixedFilters int   // of all kinds
	strings      []int // to search

	frameSizes   []int         // in bytes without FCS
	shares       []float64     // of the most that the sender reaches, besides all
	burst        time.Duration // of sending as fast as it goes; lower rates take longer
	streamed     time.Duration // of sending at each rate for many flows and programs
	rates        []float64     // Mbit/s for flows on the interface, rising
	programRates []float64     // Mbit/s for programs
	samplers     []int         // numbers of programs that sample
	searchers    []int         // and that search
	equals       []int         // and that have the same flow

	stamped    int           // packets whose delay is measured
	silence    time.Duration // without packets
	idle       clients       // connected meanwhile
	waiting    int           // and clients that wait for a packet
	setups     []clients     // that set up flows
	churn      int           // flows that come and go
	changing   time.Duration // of changing flows while packets come
	maxLibpcap int           // processes of libpcap at a time

	commands []*exec.Cmd // of the part that is being made
}

// full is how the report is made.
func full() *bench {
	return &bench{
		packets: tracegen.BenchPackets, rounds: 9, liveRounds: 3,
		flows: []int{1, 10, 100, 600, 1000, 10_000, 60_000}, equalFlows: []int{1, 10, 100, 1000, 10_000},
		mixedFilters: 10_000, strings: []int{1, 50, 1000, 10_000},
		frameSizes: []int{64, 1460}, shares: []float64{0.25, 0.5, 0.75}, burst: 400 * time.Millisecond,
		streamed: 600 * time.Millisecond, rates: []float64{100, 300, 500, 700, 1000, 2000, 4000}, programRates: []float64{100, 500},
		samplers: []int{1, 2, 5, 10, 20, 50, 100}, searchers: []int{1, 5, 10, 50, 100, 1000}, equals: []int{1, 1000},
		stamped: 2000, silence: 10 * time.Second, idle: clients{10, 100}, waiting: 100,
		setups: []clients{{1, 1000}, {100, 10}, {100, 100}}, churn: 20_000, changing: 4 * time.Second, maxLibpcap: 1000,
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	// The kernel ends the subjects with the thread that started them: this one.
	runtime.LockOSThread()
	b := full()
	flag.IntVar(&b.rounds, "rounds", b.rounds, "how often each measurement of the file is made; those on an interface at most 3 times")
	flag.StringVar(&b.bin, "mapid", "bin/mapid", "the daemon to measure")
	flag.StringVar(&b.dir, "dir", "bench", "folder for the capture file, which stays there")
	flag.StringVar(&b.only, "only", "", "measure only these `PARTS`, a list with commas: "+strings.Join(partNames(), ", "))
	flag.IntVar(&b.churn, "churn", b.churn, "flows that come and go")
	out := flag.String("o", "", "write the report to this file as well")
	flag.Parse()
	b.liveRounds = min(b.rounds, b.liveRounds)
	b.charts = filepath.Join(b.dir, "performance")
	if *out != "" {
		b.charts = strings.TrimSuffix(*out, ".md")
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
}

// run measures everything and returns the report.
func (b *bench) run(ctx context.Context, t testnet.TB) (string, error) {
	var all []string
	err := catch(func() {
		parts := must(b.selected())
		b.buildPrograms()
		all = append([]string{head()}, must(b.measure(ctx, t, parts))...)
	})
	return strings.Join(all, "\n"), err
}

// console stands for a test where there is none: what fails ends the program,
// and what is to be cleaned up goes with it.
type console struct{}

func (*console) Helper()                           {}
func (*console) Cleanup(func())                    {}
func (*console) Skip(args ...any)                  { log.Fatal(args...) }
func (*console) Errorf(format string, args ...any) { log.Fatalf(format, args...) }
func (*console) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
