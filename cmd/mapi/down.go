package main

import (
	"fmt"
	"net"

	"gomapi/mapi"
)

// warnDown warns if the interface is down, because no packets arrive then. It
// asks only a private daemon, which certainly sees the same interfaces as the
// tool.
func (t *tool) warnDown(client *mapi.Client, device string) {
	if client.Dial == nil {
		return
	}
	if i, err := net.InterfaceByName(device); err == nil && i.Flags&net.FlagUp == 0 {
		fmt.Fprintf(t.stderr, "mapi: %s is down; to receive packets: ip link set dev %[1]s up\n", printable(device))
	}
}
