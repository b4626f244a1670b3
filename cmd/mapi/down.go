package main

import (
	"fmt"
	"net"

	"gomapi/mapi"
)

// warnDown tells that nothing comes from an interface as long as it is down. Only a
// daemon of our own is sure to see the interfaces that we see.
func (t *tool) warnDown(client *mapi.Client, device string) {
	if client.Dial == nil {
		return
	}
	if i, err := net.InterfaceByName(device); err == nil && i.Flags&net.FlagUp == 0 {
		fmt.Fprintf(t.stderr, "mapi: %s is down; packets come once it is up: ip link set dev %[1]s up\n", printable(device))
	}
}
