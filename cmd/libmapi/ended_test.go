package main

import "testing"

func TestConnectAfterTheEnd(t *testing.T) {
	path, _, _ := capture(t, "mapi-www.pcap")
	d := startDaemon(t)
	judged(t, d.command(compile(t, source(t, "ended.c"), strict...), path))
}
