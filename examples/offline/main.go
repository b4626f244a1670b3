// Offline reads a capture file once and counts its TCP and its UDP packets in
// two flows.
//
//	offline trace.pcap
//
// The file takes the place of a network interface. The program connects both flows
// before it starts the file, so neither misses a packet. It needs a running mapid.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"gomapi/mapi"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: offline FILE")
	}
	ctx := context.Background()
	var client mapi.Client // Close also closes its flows
	defer client.Close()
	file, err := client.CreateOfflineDevice(ctx, os.Args[1], mapi.FormatPCAP)
	check(err)
	tcp := counter(ctx, &client, file.Name(), "tcp")
	udp := counter(ctx, &client, file.Name(), "udp")
	check(file.Start(ctx))
	check(file.Wait(ctx))
	n, err := tcp.Uint64()
	check(err)
	m, err := udp.Uint64()
	check(err)
	fmt.Printf("tcp: %d packets\nudp: %d packets\n", n, m)
}

// counter connects a flow that counts the packets of a device that match filter.
func counter(ctx context.Context, client *mapi.Client, device, filter string) *mapi.Function {
	flow, err := client.CreateFlow(ctx, device)
	check(err)
	_, err = flow.Apply(ctx, "BPF_FILTER", filter)
	check(err)
	packets, err := flow.Apply(ctx, "PKT_COUNTER")
	check(err)
	check(flow.Connect(ctx))
	return packets
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
