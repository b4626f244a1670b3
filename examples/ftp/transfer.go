package main

import (
	"context"
	"fmt"
	"net/netip"

	"gomapi/mapi"
)

// A transfer is all data connections to one address and port.
type transfer struct {
	to             netip.AddrPort
	packets, bytes *mapi.Function
}

// watch starts to count a transfer that passes a device.
func watch(device string, to netip.AddrPort) transfer {
	f := flow(device, fmt.Sprintf("tcp and host %s and port %d", to.Addr(), to.Port()))
	t := transfer{to, apply(f, "PKT_COUNTER"), apply(f, "BYTE_COUNTER")}
	check(f.Connect(context.Background()))
	return t
}

// report prints the packets and bytes of the transfers.
func report(all []transfer) {
	total := uint64(0)
	for _, t := range all {
		packets, err := t.packets.Uint64()
		check(err)
		bytes, err := t.bytes.Uint64()
		check(err)
		fmt.Printf("%v: %d packets, %d bytes\n", t.to, packets, bytes)
		total += bytes
	}
	fmt.Printf("%d transfers, %d bytes\n", len(all), total)
}
