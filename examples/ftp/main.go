// Ftp counts FTP traffic (the example of the MAPI paper). It reads the addresses and
// ports of data connections on the control connections, port 21, and counts their
// packets and bytes.
//
//	ftp eth0             until interrupted
//	ftp -r trace.pcap
//
// The example shows packets that lead to new flows. A flow sees only packets that arrive
// after it was connected, about 10 ms after the announcement. If the hosts answer each
// other faster, the first packets are missed. A file does not wait, so the program reads
// it twice: first for the control connections, then for the data. It needs a running
// mapid. announced.go reads the announcements on a control connection, transfer.go
// counts a data connection.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"gomapi/mapi"
)

// most bounds the transfers that are counted: anybody can send announcements.
const most = 1000

var client mapi.Client // its flows end with the program

func main() {
	log.SetFlags(0)
	file := flag.Bool("r", false, "read a capture file")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: ftp DEVICE, or ftp -r FILE")
	}
	name := flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !*file {
		report(follow(ctx, control(name), name))
		return
	}
	first, err := client.CreateOfflineDevice(ctx, name, mapi.FormatPCAP)
	check(err)
	second, err := client.CreateOfflineDevice(ctx, name, mapi.FormatPCAP)
	check(err)
	announcements := control(first.Name())
	check(first.Start(ctx))
	transfers := follow(ctx, announcements, second.Name())
	check(second.Start(ctx))
	check(second.Wait(ctx))
	report(transfers)
}

// control creates a flow of the packets that may announce a transfer: replies to
// PASV and EPSV, and the commands PORT and EPRT.
func control(device string) *mapi.Function {
	f := flow(device, "tcp port 21")
	if f.LinkType() != 1 {
		log.Fatalf("%s is no Ethernet", device)
	}
	apply(f, "STR_SEARCH", "227 ||229 ||PORT ||EPRT ", 0, 0)
	packets := apply(f, "TO_BUFFER")
	check(f.Connect(context.Background()))
	fmt.Println("watching port 21")
	return packets
}

// follow creates a flow on device for each announced transfer, until there
// are no more announcements or ctx ends.
func follow(ctx context.Context, announcements *mapi.Function, device string) (all []transfer) {
	for p, err := range announcements.Packets(ctx) {
		if ctx.Err() != nil {
			break
		}
		check(err)
		to, ok := announced(payload(p.Data))
		known := slices.ContainsFunc(all, func(t transfer) bool { return t.to == to })
		switch {
		case !ok || known:
		case len(all) == most:
			fmt.Println("not watching", to)
		default:
			all = append(all, watch(device, to))
			fmt.Println("watching", to)
		}
	}
	return all
}

// flow creates a flow of the packets of a device that match filter.
func flow(device, filter string) *mapi.Flow {
	f, err := client.CreateFlow(context.Background(), device)
	check(err)
	apply(f, "BPF_FILTER", filter)
	return f
}

func apply(f *mapi.Flow, name string, args ...any) *mapi.Function {
	fn, err := f.Apply(context.Background(), name, args...)
	check(err)
	return fn
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
