// Bench measures what the daemon costs, beside what a user would run instead, in
// one run on one machine. docs/bench.md describes the method.
//
// The report has sections, its parts: parts.go lists them, report.md has their text, and
// each makes the rows of its table. Most parts give the same work to two sides in turn,
// mapid and a competitor (sample.go): the capture file (file.go), or packets to an interface
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

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	run := report
	if len(os.Args) > 1 && os.Args[1] == readerCommand {
		run = func() error { return read(os.Args[2:]) }
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// report does what the command line says.
func report() error {
	// The kernel ends the programs with the thread that started them: this one.
	runtime.LockOSThread()
	b := &bench{packets: tracegen.BenchPackets, largest: 60_000, stream: 600 * time.Millisecond}
	flag.IntVar(&b.rounds, "rounds", 9,
		"how often each measurement of the file is made; those on an interface at most 3 times")
	flag.StringVar(&b.bin, "mapid", "bin/mapid", "the daemon to measure")
	flag.StringVar(&b.dir, "dir", "bench", "folder for the capture file, which stays there")
	only := flag.String("only", partNames(), "measure only these `PARTS`")
	flag.IntVar(&b.churn, "churn", 20_000, "flows that come and go")
	out := flag.String("o", "", "write the report to this file as well")
	flag.Parse()
	b.liveRounds = min(b.rounds, 3)
	b.charts = filepath.Join(b.dir, "performance")
	if *out != "" {
		b.charts = strings.TrimSuffix(*out, ".md")
	}
	parts, err := selected(*only)
	if err != nil {
		return err
	}
	text, err := b.run(context.Background(), &console{}, parts)
	if err != nil {
		return err
	}
	fmt.Print(text)
	if *out == "" {
		return nil
	}
	return os.WriteFile(*out, []byte(text), 0o644)
}

// console stands for a test where there is none: what fails ends the program,
// and what is to be cleaned up goes with it.
type console struct{}

func (*console) Helper()                           {}
func (*console) Cleanup(func())                    {}
func (*console) Skip(args ...any)                  { log.Fatal(args...) }
func (*console) Errorf(format string, args ...any) { log.Fatalf(format, args...) }
func (*console) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
