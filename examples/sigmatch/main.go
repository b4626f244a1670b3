// Sigmatch prints the packets that match the signature of the Slapper worm (the
// third program of the MAPI tutorial).
//
//	sigmatch eth0
//
// The example searches the content of packets and passes the packets to the program. It
// needs a running mapid.
package main

import (
	"fmt"
	"log"
	"net/netip"
	"os"

	"gomapi/mapi"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: sigmatch DEVICE")
	}
	fd, err := mapi.CreateFlow(os.Args[1])
	check(err)

	// The part of the signature in the headers.
	_, err = mapi.ApplyFunction(fd, "BPF_FILTER", "udp and src port 2002 and dst net 139.91.23 and dst port 80")
	check(err)
	// The part in the content, within the first 100 bytes.
	_, err = mapi.ApplyFunction(fd, "STR_SEARCH", "|00 00|E|00 00|E|00 00|@|00|", 0, 100)
	check(err)
	// Pass the packets to this program.
	fid, err := mapi.ApplyFunction(fd, "TO_BUFFER")
	check(err)

	check(mapi.Connect(fd))
	fmt.Println("waiting for the worm")
	_, err = mapi.Loop(fd, fid, -1, func(p *mapi.Packet) {
		fmt.Printf("Slapper worm packet! %s -> %s, %d bytes\n", address(p.Data[26:30]), address(p.Data[30:34]), p.Wlen)
	})
	check(err)
}

// address returns the IPv4 address in b. The filter has checked that it is one.
func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
