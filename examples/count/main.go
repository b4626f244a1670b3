// Count counts the packets to web servers that pass a device within ten seconds. It is
// the first program of the MAPI tutorial.
//
//	count eth0
//
// It uses the calls of the original API and needs a running mapid.
package main

import (
	"flag"
	"fmt"
	"log"
	"time"

	"gomapi/mapi"
)

func main() {
	log.SetFlags(0)
	period := flag.Duration("t", 10*time.Second, "how long to count")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: count [-t 10s] DEVICE")
	}

	// Create a flow of the packets of the device.
	fd, err := mapi.CreateFlow(flag.Arg(0))
	check(err)

	// Keep only the packets to web servers, and count them.
	_, err = mapi.ApplyFunction(fd, "BPF_FILTER", "tcp and dst port 80")
	check(err)
	fid, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	check(err)

	// Connect the flow: mapid counts from now on.
	check(mapi.Connect(fd))
	fmt.Printf("counting for %v\n", *period)
	time.Sleep(*period)

	// Read the result of PKT_COUNTER.
	result, err := mapi.ReadResults(fd, fid)
	check(err)
	fmt.Printf("pkts: %d\n", result.Uint64())

	check(mapi.CloseFlow(fd))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
