// Burststat reports how unevenly packets and bytes arrive. An interval has five minutes
// and begins at a multiple of five minutes of the clock. For each interval burststat
// gives the totals and, over periods of 1 s, 100 ms and 10 ms, the count, sum, sum of
// squares, minimum and maximum. It writes each interval to a file of one row, and prints
// the totals and the maximum of the bytes, in Mbit/s.
//
// A packet ends a period of STATS, and at most one: after a pause each of the next
// packets ends one period, as in the original. So the maximum is right for traffic
// without pauses longer than the period, and too small otherwise.
//
//	burststat [-i 5m] [-n INTERVALS] eth0 DIRECTORY
//	burststat -r trace.pcap -s "2004-07-09 12:36:00" -i 30s -n 4 DIRECTORY
//
// The example shows flows that begin and end by the clock (STARTSTOP), and a file with
// results of other flows (RES2FILE). It creates the flows one interval ahead, so that no
// packet is missed. It needs a running mapid.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"gomapi/mapi"
)

// late is how long packets may arrive after the end of their interval.
const late = 500 * time.Millisecond

func main() {
	log.SetFlags(0)
	length := flag.Duration("i", 5*time.Minute, "length of an interval, in whole seconds")
	number := flag.Int("n", 0, "number of intervals; 0: no end")
	file := flag.String("r", "", "capture file to read instead of a device")
	first := flag.String("s", "", "start of the first interval in the file, in local time")
	flag.Parse()
	o := observer{ctx: context.Background(), length: *length, dir: flag.Arg(flag.NArg() - 1)}
	fromFile := *file != "" && *first != "" && *number > 0 && flag.NArg() == 1
	if *length < time.Second || *length%time.Second != 0 || !fromFile && flag.NArg() != 2 {
		log.Fatal("usage: burststat [-i 5m] {[-n INTERVALS] DEVICE | -n INTERVALS -r FILE -s START} DIRECTORY")
	}
	defer o.client.Close()
	fmt.Println("start,packets,bytes,max_1s,max_100ms,max_10ms")
	if fromFile {
		start, err := time.ParseInLocation(time.DateTime, *first, time.Local)
		check(err)
		o.readFile(*file, start, *number)
	} else {
		o.device = flag.Arg(0)
		o.watch(*number)
	}
}

// An observer creates intervals and reports their results.
type observer struct {
	ctx    context.Context
	client mapi.Client
	device string
	length time.Duration
	dir    string
}

// readFile observes all intervals at once.
func (o *observer) readFile(path string, start time.Time, number int) {
	file, err := o.client.CreateOfflineDevice(o.ctx, path, mapi.FormatPCAP)
	check(err)
	o.device = file.Name()
	var intervals []*interval
	for i := range number {
		intervals = append(intervals, o.prepare(start.Add(time.Duration(i)*o.length)))
	}
	check(file.Start(o.ctx))
	check(file.Wait(o.ctx))
	for _, v := range intervals {
		o.finish(v)
	}
}

// watch observes the current interval and prepares the next one, until an interrupt.
func (o *observer) watch(number int) {
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	soon := time.Now().Add(o.length / 2) // leaves time to create the flows
	current := o.prepare(soon.Truncate(o.length).Add(o.length))
	defer func() { o.abandon(current) }()
	for i := 0; number == 0 || i < number; i++ {
		if !reached(current.start, interrupt) {
			return
		}
		next := o.prepare(current.start.Add(o.length))
		if !reached(next.start.Add(late), interrupt) {
			o.abandon(next)
			return
		}
		o.finish(current)
		current = next
	}
}

// reached waits until t. It returns false if an interrupt comes first.
func reached(t time.Time, interrupt <-chan os.Signal) bool {
	select {
	case <-time.After(time.Until(t)):
		return true
	case <-interrupt:
		return false
	}
}

func apply(ctx context.Context, flow *mapi.Flow, name string, args ...any) *mapi.Function {
	fn, err := flow.Apply(ctx, name, args...)
	check(err)
	return fn
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
