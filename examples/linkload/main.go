// Linkload prints the load of a link as a table: a row for each period, a column
// for each filter, in Mbit/s.
//
//	linkload [-p 1s] [-n ROWS] eth0 "dst host 139.91.145.84" "src host 139.91.145.84"
//	linkload -r trace.pcap tcp udp
//
// The example shows functions that refer to functions of other flows, and results that
// are a series. Each filter has a flow with a byte counter. One more flow sees all
// packets and records these counters at the end of each period, so all columns have the
// same periods. It needs a running mapid.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

func main() {
	log.SetFlags(0)
	period := flag.Duration("p", time.Second, "length of a period, in packet time")
	rows := flag.Int("n", 0, "number of rows; 0: until the device ends")
	file := flag.Bool("r", false, "DEVICE is a capture file to read")
	flag.Parse()
	if flag.NArg() < 2 || *period <= 0 {
		log.Fatal("usage: linkload [-p 1s] [-n ROWS] [-r] DEVICE FILTER...")
	}
	ctx := context.Background()
	var client mapi.Client // Close also closes its flows
	defer client.Close()
	device, filters := flag.Arg(0), flag.Args()[1:]
	start := func() {}
	if *file {
		offline, err := client.CreateOfflineDevice(ctx, device, mapi.FormatPCAP)
		check(err)
		device, start = offline.Name(), func() { check(offline.Start(ctx)) }
	}
	columns := connect(ctx, &client, device, filters, *period)
	fmt.Printf("%-12s", "until")
	for _, f := range filters {
		fmt.Printf("  %12s", f)
	}
	fmt.Println()
	start()
	for i := 0; *rows == 0 || i < *rows; i++ {
		if !row(ctx, columns, *period) {
			return
		}
	}
}

// connect creates the flows. It returns a series of bytes per period for each filter.
func connect(ctx context.Context, client *mapi.Client, device string, filters []string, period time.Duration) (columns []*mapi.Function) {
	// Flows see a packet in the order of their creation. This flow comes first, so a
	// period does not include the packet that ends it.
	all, err := client.CreateFlow(ctx, device)
	check(err)
	for _, filter := range filters {
		flow, err := client.CreateFlow(ctx, device)
		check(err)
		_, err = flow.Apply(ctx, "BPF_FILTER", filter)
		check(err)
		bytes, err := flow.Apply(ctx, "BYTE_COUNTER")
		check(err)
		check(flow.Connect(ctx))
		column, err := all.Apply(ctx, "BUCKET", bytes, fmt.Sprintf("%dus", period.Microseconds()), 1)
		check(err)
		columns = append(columns, column)
	}
	check(all.Connect(ctx))
	return columns
}

// row prints the next period. It returns false when the device has ended.
func row(ctx context.Context, columns []*mapi.Function, period time.Duration) bool {
	for i, column := range columns {
		r, err := column.ReadNext(ctx)
		if errors.Is(err, io.EOF) {
			return false
		}
		check(err)
		entry, _ := result.ParseBucket(r.Res)
		if i == 0 {
			fmt.Print(entry.Time().Local().Format("15:04:05.000"))
		}
		fmt.Printf("  %12.6f", float64(entry.Value)*8/1e6/period.Seconds())
	}
	fmt.Println()
	return true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
