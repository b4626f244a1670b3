// Util reports the load of a network link once a second, incoming and outgoing
// (the second program of the MAPI tutorial).
//
//	util eth0 139.91.145.84
//
// The example uses two flows, and computes rates from the time stamps of the results. It
// needs a running mapid.
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
	seconds := flag.Int("n", 0, "number of reports; 0: no end")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: util [-n REPORTS] DEVICE ADDRESS")
	}
	device, address := flag.Arg(0), flag.Arg(1)

	in := bytesOf(device, "dst host "+address)
	out := bytesOf(device, "src host "+address)
	fmt.Printf("load of %s\n", address)
	for i := 0; *seconds == 0 || i < *seconds; i++ {
		time.Sleep(time.Second)
		fmt.Printf("incoming: %s\noutgoing: %s\n\n", in.load(), out.load())
	}
}

// meter is a flow that counts bytes, with its result in the last report.
type meter struct {
	fd, fid int
	last    mapi.Result
}

// bytesOf counts the bytes of the packets of a device that match filter.
func bytesOf(device, filter string) *meter {
	fd, err := mapi.CreateFlow(device)
	check(err)
	_, err = mapi.ApplyFunction(fd, "BPF_FILTER", filter)
	check(err)
	fid, err := mapi.ApplyFunction(fd, "BYTE_COUNTER")
	check(err)
	check(mapi.Connect(fd))
	results, err := mapi.ReadResults(fd, fid)
	check(err)
	return &meter{fd, fid, results[0]}
}

// load returns the load since the last report.
func (m *meter) load() string {
	results, err := mapi.ReadResults(m.fd, m.fid)
	check(err)
	now := results[0]
	bytes := now.Uint64() - m.last.Uint64()
	seconds := now.Time().Sub(m.last.Time()).Seconds()
	m.last = now
	return fmt.Sprintf("%.2f Mbit/s (%d bytes)", float64(bytes)*8/1e6/seconds, bytes)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
