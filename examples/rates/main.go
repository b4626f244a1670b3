// Rates reports the packets and bits per second that pass a device.
//
//	rates [-i 1s] [-n REPORTS] DEVICE [FILTER]
//
// The example computes a rate from the time stamps of the results, because the time
// between two reads is never exactly a second. It needs a running mapid.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"gomapi/mapi"
)

func main() {
	log.SetFlags(0)
	interval := flag.Duration("i", time.Second, "time between two reports")
	reports := flag.Int("n", 0, "number of reports; 0: no end")
	flag.Parse()
	if flag.NArg() < 1 || flag.NArg() > 2 || *interval <= 0 {
		log.Fatal("usage: rates [-i 1s] [-n REPORTS] DEVICE [FILTER]")
	}
	ctx := context.Background()
	var client mapi.Client // what it made ends with it
	defer client.Close()
	flow, err := client.CreateFlow(ctx, flag.Arg(0))
	check(err)
	if flag.NArg() == 2 {
		_, err = flow.Apply(ctx, "BPF_FILTER", flag.Arg(1))
		check(err)
	}
	packets, err := flow.Apply(ctx, "PKT_COUNTER")
	check(err)
	bytes, err := flow.Apply(ctx, "BYTE_COUNTER")
	check(err)
	check(flow.Connect(ctx))

	lastPackets, lastBytes := read(packets), read(bytes)
	fmt.Printf("rates of %s\n", flow.Device())
	tick := time.NewTicker(*interval)
	defer tick.Stop()
	for i := 0; *reports == 0 || i < *reports; i++ {
		<-tick.C
		nowPackets, nowBytes := read(packets), read(bytes)
		fmt.Printf("%.3f packets/s, %.1f bit/s in %v\n", rate(lastPackets, nowPackets), 8*rate(lastBytes, nowBytes),
			nowPackets.Time().Sub(lastPackets.Time()))
		lastPackets, lastBytes = nowPackets, nowBytes
	}
}

func read(counter *mapi.Function) mapi.Result {
	result, err := counter.Read()
	check(err)
	return result
}

// rate returns by how much a counter grew per second, from the time stamps of its
// results.
func rate(from, to mapi.Result) float64 {
	return float64(to.Uint64()-from.Uint64()) / to.Time().Sub(from.Time()).Seconds()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
