// Burststat tells how unevenly packets and bytes come: for each interval (five
// minutes, from a full one of the clock on) the totals and, over periods of 1 s,
// 100 ms and 10 ms, count, sum, sum of squares, least and most. Each interval has a
// file of one row; what is printed are the totals and the most of the bytes, in Mbit/s.
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
	"path/filepath"
	"strings"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// late is how long packets may be under way after the end of their interval.
const late = 500 * time.Millisecond

// periods are those of the statistics.
var periods = []time.Duration{time.Second, 100 * time.Millisecond, 10 * time.Millisecond}

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
		log.Fatal("usage: burststat [-i 5m] [-n INTERVALS] {DEVICE | -r FILE -s START} DIRECTORY")
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

// watch has the current interval and the one after it.
func (o *observer) watch(number int) {
	current := o.prepare(time.Now().Truncate(o.length).Add(o.length))
	for i := 0; number == 0 || i < number; i++ {
		time.Sleep(time.Until(current.start))
		next := o.prepare(current.start.Add(o.length))
		time.Sleep(time.Until(next.start.Add(late)))
		o.finish(current)
		current = next
	}
}

// An interval is flows that see its packets, and one that writes about them.
type interval struct {
	start     time.Time
	flows     []*mapi.Flow
	report    *mapi.Flow
	functions []*mapi.Function // packets and bytes, then statistics of both for each period
	path      string
}

// prepare connects the flows of an interval that is still to come.
func (o *observer) prepare(start time.Time) *interval {
	v := &interval{start: start, path: filepath.Join(o.dir, fmt.Sprintf("%d.txt", start.Unix()))}
	v.functions = o.counters(v)
	types, columns := []string{"1", "1"}, []string{"packets", "bytes"}
	for _, p := range periods {
		for _, counter := range o.counters(v) { // of its own: STATS resets it
			flow := counter.Flow()
			v.functions = append(v.functions, apply(o.ctx, flow, "STATS", counter, fmt.Sprintf("%dms", p.Milliseconds())))
			types = append(types, fmt.Sprint(mapi.R2FStats))
			columns = append(columns, fmt.Sprintf("%s_%v", counter.Name(), p))
		}
	}
	for _, flow := range v.flows {
		check(flow.Connect(o.ctx))
	}
	var err error
	v.report, err = o.client.CreateFlow(o.ctx, o.device)
	check(err)
	apply(o.ctx, v.report, "RES2FILE", strings.Join(types, ","), v.functions, strings.Join(columns, " "), v.path+".tmp", "-1", 0)
	check(v.report.Connect(o.ctx))
	return v
}

// counters adds a flow of the packets of the interval.
func (o *observer) counters(v *interval) []*mapi.Function {
	flow, err := o.client.CreateFlow(o.ctx, o.device)
	check(err)
	v.flows = append(v.flows, flow)
	// Both ends belong to what STARTSTOP lets through, so this one is 2^-32 s less.
	stop := fmt.Sprintf("+%d", uint64(o.length/time.Second)<<32-1)
	apply(o.ctx, flow, "STARTSTOP", v.start.Local().Format(time.DateTime), stop)
	return []*mapi.Function{apply(o.ctx, flow, "PKT_COUNTER"), apply(o.ctx, flow, "BYTE_COUNTER")}
}

// finish has the row written, which happens when its flow is closed, and prints
// what there was.
func (o *observer) finish(v *interval) {
	fmt.Print(v.start.UTC().Format(time.RFC3339))
	for _, total := range v.functions[:2] {
		n, err := total.Uint64()
		check(err)
		fmt.Printf(",%d", n)
	}
	for i, p := range periods {
		r, err := v.functions[3+2*i].Read()
		check(err)
		bytes, _ := result.ParseStats(r.Res)
		fmt.Printf(",%.6f", bytes.Max*8/1e6/p.Seconds())
	}
	fmt.Println()
	check(v.report.Close(o.ctx))
	for _, flow := range v.flows {
		check(flow.Close(o.ctx))
	}
	check(os.Rename(v.path+".tmp", v.path))
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
