package main

import "testing"

func TestNotAnonymous(t *testing.T) {
	path, _, _ := capture(t, "mapi-www.pcap")
	d := startDaemon(t)
	judged(t, d.command(compile(t, source(t, "unhidden.c"), strict...), path))
}
