package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// periods are the lengths of the periods over which the statistics are made.
var periods = []time.Duration{time.Second, 100 * time.Millisecond, 10 * time.Millisecond}

// An interval has the flows that see its packets, and a flow that writes its results.
type interval struct {
	start     time.Time
	flows     []*mapi.Flow
	report    *mapi.Flow
	functions []*mapi.Function // packets and bytes; then the statistics of both for each period
	path      string
}

// prepare connects the flows of a future interval.
func (o *observer) prepare(start time.Time) *interval {
	v := &interval{start: start, path: filepath.Join(o.dir, fmt.Sprintf("%d.txt", start.Unix()))}
	v.functions = o.counters(v)
	types, columns := []string{"1", "1"}, []string{"packets", "bytes"}
	for _, p := range periods {
		for _, counter := range o.counters(v) { // separate counters: STATS resets them
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

// counters adds a flow of the packets of the interval, and counts packets and bytes.
func (o *observer) counters(v *interval) []*mapi.Function {
	flow, err := o.client.CreateFlow(o.ctx, o.device)
	check(err)
	v.flows = append(v.flows, flow)
	// STARTSTOP passes packets at both ends of its range, so the end is 2^-32 s earlier.
	stop := fmt.Sprintf("+%d", uint64(o.length/time.Second)<<32-1)
	apply(o.ctx, flow, "STARTSTOP", v.start.Local().Format(time.DateTime), stop)
	return []*mapi.Function{apply(o.ctx, flow, "PKT_COUNTER"), apply(o.ctx, flow, "BYTE_COUNTER")}
}

// finish prints the results and closes the flows. RES2FILE writes its row when the flow
// is closed.
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
	o.close(v)
	check(os.Rename(v.path+".tmp", v.path))
}

// abandon discards an interval that was cut short or has not begun.
func (o *observer) abandon(v *interval) {
	o.close(v)
	check(os.Remove(v.path + ".tmp"))
}

func (o *observer) close(v *interval) {
	check(v.report.Close(o.ctx))
	for _, flow := range v.flows {
		check(flow.Close(o.ctx))
	}
}
