// Bench measures what the daemon costs, beside what a user would run instead, in
// one run on one machine. docs/bench.md describes the method.
//
// The report has sections, its parts, which parts.go lists. Each makes a table
// (table.go). A part gives the same work to two sides in turn, mapid and a competitor,
// which sample.go describes: the capture file (file.go), or packets to an interface
// (session.go).
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

	"gomapi/internal/tracegen"
)

// bench says with what and how long to measure.
type bench struct {
	bin, dir, charts string        // the daemon, a folder for files, one for charts
	only             string        // parts to make, empty for all
	packets          int           // of the capture file
	rounds           int           // of the measurements of the file
	liveRounds       int           // of those on an interface
	churn            int           // flows that come and go
	largest          int           // number of flows, programs and so on
	stream           time.Duration // of sending; other times are multiples of it

	// Of the part that is being made:
	link     link
	commands []*exec.Cmd
}

// full is how the report is made.
func full() *bench {
	return &bench{
		packets: tracegen.BenchPackets, rounds: 9, liveRounds: 3,
		churn: 20_000, largest: 60_000, stream: 600 * time.Millisecond,
	}
}

// upTo returns the first of these numbers, and those of the others that are not too large.
func (b *bench) upTo(first int, others ...int) []int {
	all := []int{min(first, b.largest)}
	for _, n := range others {
		if n <= b.largest {
			all = append(all, n)
		}
	}
	return all
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
	// The kernel ends the programs with the thread that started them: this one.
	runtime.LockOSThread()
	b := full()
	flag.IntVar(&b.rounds, "rounds", b.rounds,
		"how often each measurement of the file is made; those on an interface at most 3 times")
	flag.StringVar(&b.bin, "mapid", "bin/mapid", "the daemon to measure")
	flag.StringVar(&b.dir, "dir", "bench", "folder for the capture file, which stays there")
	flag.StringVar(&b.only, "only", "",
		"measure only these `PARTS`, a list with commas: "+strings.Join(partNames(), ", "))
	flag.IntVar(&b.churn, "churn", b.churn, "flows that come and go")
	out := flag.String("o", "", "write the report to this file as well")
	flag.Parse()
	b.liveRounds = min(b.rounds, b.liveRounds)
	b.charts = filepath.Join(b.dir, "performance")
	if *out != "" {
		b.charts = strings.TrimSuffix(*out, ".md")
	}
	report, err := b.run(context.Background(), &console{})
	if err == nil && *out != "" {
		err = os.WriteFile(*out, []byte(report), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report)
}

// console stands for a test where there is none: what fails ends the program,
// and what is to be cleaned up goes with it.
type console struct{}

func (*console) Helper()                           {}
func (*console) Cleanup(func())                    {}
func (*console) Skip(args ...any)                  { log.Fatal(args...) }
func (*console) Errorf(format string, args ...any) { log.Fatalf(format, args...) }
func (*console) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
