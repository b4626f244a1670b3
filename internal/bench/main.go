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
	flag.StringVar(&b.only, "only", "", "measure only this `PART`: file, packets, counting, delay, idle or setup")
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
	}
}

// run measures everything and returns the report.
func (b *bench) run(ctx context.Context, t testnet.TB) (string, error) {
	path, err := trafficFile(b.dir)
	if err != nil {
		return "", err
	}
	sections := []string{head()}
	parts := []struct {
		name    string
		measure func(context.Context, string) (string, error)
	}{{"file", b.file}, {"packets", b.packets}}
	for _, part := range parts {
		if !b.wanted(part.name) {
			continue
		}
		section, err := part.measure(ctx, path)
		if err != nil {
			return "", err
		}
		sections = append(sections, section)
	}
	live, err := b.live(ctx, t)
	if err != nil {
		return "", err
	}
	return strings.Join(append(sections, live...), "\n"), nil
}

func (b *bench) wanted(part string) bool { return b.only == "" || b.only == part }

// live measures on an interface, for which it must be root.
func (b *bench) live(ctx context.Context, t testnet.TB) (sections []string, err error) {
	if os.Geteuid() != 0 {
		why := "needs root, for a network namespace of its own"
		log.Print("live capture is left out: ", why)
		return []string{"## Live capture\n\nLeft out: " + why + ".\n"}, nil
	}
	testnet.Run(t, func(ns *testnet.NS) {
		parts := []struct {
			name    string
			measure func(context.Context, *testnet.NS) (string, error)
		}{{"counting", b.counting}, {"delay", b.delay}, {"idle", b.idle}, {"setup", b.setup}}
		for _, part := range parts {
			if !b.wanted(part.name) {
				continue
			}
			var section string
			if section, err = part.measure(ctx, ns); err != nil {
				return
			}
			sections = append(sections, section)
		}
	})
	return sections, err
}
