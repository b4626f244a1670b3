// Burststat tells how unevenly packets and bytes come: for each interval (five
// minutes, from a full one of the clock on) the totals and, over periods of 1 s,
// 100 ms and 10 ms, count, sum, sum of squares, least and most. Each interval has a
// file of one row; what is printed are the totals and the most of the bytes, in Mbit/s.
//
// A period of STATS ends with a packet, and a packet ends one period at most: after a
// pause the next packets end one each, as in the original. So the most of a period
// is right for traffic without pauses longer than it, and too small otherwise.
//
//	burststat [-i 5m] [-n INTERVALS] eth0 DIRECTORY
//	burststat -r trace.pcap -s "2004-07-09 12:36:00" -i 30s -n 4 DIRECTORY
//
// It shows flows that begin and end by the clock (STARTSTOP), made one interval
// ahead so that no packet is missed, and a file of results of other flows
// (RES2FILE). It needs a running mapid.
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

// late is how long packets may be under way after the end of their interval.
const late = 500 * time.Millisecond

func main() {
	log.SetFlags(0)
	length := flag.Duration("i", 5*time.Minute, "length of an interval, whole seconds")
	number := flag.Int("n", 0, "how many intervals, 0: without end")
	file := flag.String("r", "", "capture file to read in place of a device")
	first := flag.String("s", "", "start of the first interval in the file, local time")
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

// An observer makes intervals and reports about them.
type observer struct {
	ctx    context.Context
	client mapi.Client
	device string
	length time.Duration
	dir    string
}

// readFile has all intervals at once.
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

// watch has the current interval and the one after it, until an interrupt.
func (o *observer) watch(number int) {
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	soon := time.Now().Add(o.length / 2) // time enough to make the flows
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

// reached waits for a moment and returns false if there is an interrupt before.
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
