package mapi_test

import (
	"context"
	"fmt"
	"log"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// The first program of the tutorial, on a capture file instead of a network.
func Example() {
	device, err := mapi.CreateOfflineDevice("trace.pcap", mapi.FormatPCAP)
	if err != nil {
		log.Fatal(err)
	}
	fd, err := mapi.CreateFlow(device)
	if err != nil {
		log.Fatal(err)
	}
	mapi.ApplyFunction(fd, "BPF_FILTER", "tcp and dst port 80")
	fid, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	if err != nil {
		log.Fatal(err)
	}
	if err := mapi.Connect(fd); err != nil {
		log.Fatal(err)
	}
	mapi.StartOfflineDevice(device)
	mapi.WaitOfflineDevice(device)

	result, err := mapi.ReadResults(fd, fid)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("pkts:", result.Uint64())
	mapi.CloseFlow(fd)
	mapi.DeleteOfflineDevice(device)
	// Output: pkts: 3
}

// Several flows see the same file in one pass.
func ExampleClient() {
	ctx := context.Background()
	var client mapi.Client
	defer client.Close()

	device, err := client.CreateOfflineDevice(ctx, "trace.pcap", mapi.FormatPCAP)
	if err != nil {
		log.Fatal(err)
	}
	counters := make(map[string]*mapi.Function)
	for _, filter := range []string{"tcp", "udp", "port 53"} {
		flow, err := client.CreateFlow(ctx, device.Name())
		if err != nil {
			log.Fatal(err)
		}
		if _, err := flow.Apply(ctx, "BPF_FILTER", filter); err != nil {
			log.Fatal(err)
		}
		if counters[filter], err = flow.Apply(ctx, "PKT_COUNTER"); err != nil {
			log.Fatal(err)
		}
		if err := flow.Connect(ctx); err != nil {
			log.Fatal(err)
		}
	}
	if err := device.Start(ctx); err != nil {
		log.Fatal(err)
	}
	if err := device.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	for _, filter := range []string{"tcp", "udp", "port 53"} {
		n, err := counters[filter].Uint64()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(filter, n)
	}
	// Output:
	// tcp 3
	// udp 2
	// port 53 2
}

// BUCKET records a counter at the end of each period, as a series.
func ExampleFunction_Results() {
	ctx := context.Background()
	var client mapi.Client
	defer client.Close()

	flow, err := client.CreateOfflineFlow(ctx, "trace.pcap", mapi.FormatPCAP)
	if err != nil {
		log.Fatal(err)
	}
	packets, err := flow.Apply(ctx, "PKT_COUNTER")
	if err != nil {
		log.Fatal(err)
	}
	perSecond, err := flow.Apply(ctx, "BUCKET", packets, "1s", 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := flow.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	for r, err := range perSecond.Results(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		entry, _ := result.ParseBucket(r.Res)
		fmt.Printf("until %s: %d packets\n", entry.Time().Format("15:04:05"), entry.Value)
	}
	// Output:
	// until 00:00:01: 2 packets
	// until 00:00:02: 1 packets
	// until 00:00:03: 1 packets
}

// The information calls list what a daemon offers.
func ExampleGetNextLibraryInfo() {
	for lib, err := mapi.GetNextLibraryInfo(-1); err == nil; lib, err = mapi.GetNextLibraryInfo(lib.ID) {
		fmt.Println(lib.ID, lib.Name)
		for f, err := mapi.GetNextLibFunctInfo(lib.ID, -1); err == nil; f, err = mapi.GetNextLibFunctInfo(lib.ID, f.ID) {
			fmt.Printf("\t%s(%s)\n", f.Name, f.ArgDescr)
		}
	}
	// Output:
	// 0 stdflib
	// 	HASH(i)
	// 	BINOP(irfrf)
	// 	BPF_FILTER(s)
	// 	BUCKET(rfsi)
	// 	BURST(iiiiiiii)
	// 	BYTE_COUNTER()
	// 	DIST(rfsss)
	// 	GAP()
	// 	HASHSAMP(ii)
	// 	PKT_COUNTER()
	// 	PKTINFO(i)
	// 	RES2FILE(sSswsi)
	// 	SAMPLE(ii)
	// 	STARTSTOP(ss)
	// 	STATS(rfs)
	// 	STR_SEARCH(sii)
	// 	SYNC(s)
	// 	THRESHOLD(irfliiii)
	// 	TO_FILE(iwl)
	// 	TO_BUFFER(i)
}

// Errors carry the numbers of the original API.
func ExampleError() {
	_, err := mapi.CreateFlow("no-such-device")
	fmt.Println(err)
	// Output: create flow on "no-such-device": no device "no-such-device": mapi info devices lists those of this daemon (error 3200)
}
