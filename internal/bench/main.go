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

	// By part: numbers of flows, filters, strings or programs; for counting, bytes of a
	// frame without FCS.
	sizes        map[string][]int
	rates        []float64     // Mbit/s for flows on the interface, rising
	programRates []float64     // Mbit/s for programs
	burst        time.Duration // of sending as fast as it goes; lower rates take longer
	streamed     time.Duration // of sending at each rate for many flows and programs
	silence      time.Duration // without packets
	changing     time.Duration // of changing flows while packets come
	stamped      int           // packets whose delay is measured
	churn        int           // flows that come and go
	idle         clients       // connected while no packets come
	setups       []clients     // that set up flows

	commands []*exec.Cmd // of the part that is being made
}

// full is how the report is made.
func full() *bench {
	ports := []int{1, 10, 100, 600, 1000, 10_000, 60_000}
	return &bench{
		packets: tracegen.BenchPackets, rounds: 9, liveRounds: 3,
		sizes: map[string][]int{
			"ports": ports, "equal": {1, 10, 100, 1000, 10_000}, "mixed": {1, 10_000}, "strings": {1, 50, 1000, 10_000},
			"counting": {64, 1460}, "liveports": ports, "changes": {10_000},
			"audience": {1, 1000}, "sampling": {1, 2, 5, 10, 20, 50, 100}, "searching": {1, 5, 10, 50, 100, 1000},
		},
		rates: []float64{100, 300, 500, 700, 1000, 2000, 4000}, programRates: []float64{100, 500},
		burst: 400 * time.Millisecond, streamed: 600 * time.Millisecond, silence: 10 * time.Second, changing: 4 * time.Second,
		stamped: 2000, churn: 20_000, idle: clients{10, 100}, setups: []clients{{1, 1000}, {100, 10}, {100, 100}},
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	if len(os.Args) > 1 && os.Args[1] == readerCommand {
		if err := read(os.Args[2:]); err != nil {
			log.Fatal(err)
		}
		return
	}
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
	var report []string
	err := catch(func() {
		parts := must(b.selected())
		b.buildPrograms()
		report = append(report, head())
		for _, p := range parts {
			if p.live && os.Geteuid() != 0 {
				report = append(report, "## Live capture\n\nLeft out: needs root, for a network namespace of its own.\n")
				break
			}
			report = append(report, must(b.measure(ctx, t, p, partLimit+time.Duration(b.churn)*2*time.Millisecond)))
		}
	})
	return strings.Join(report, "\n"), err
}

// console stands for a test where there is none: what fails ends the program,
// and what is to be cleaned up goes with it.
type console struct{}

func (*console) Helper()                           {}
func (*console) Cleanup(func())                    {}
func (*console) Skip(args ...any)                  { log.Fatal(args...) }
func (*console) Errorf(format string, args ...any) { log.Fatalf(format, args...) }
func (*console) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
