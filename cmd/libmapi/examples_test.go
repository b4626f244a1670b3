package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// example compiles one of examples/c.
func example(t *testing.T, name string) string {
	t.Helper()
	return compile(t, source(t, "../../../examples/c/"+name), strict...)
}

func TestExampleCount(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startDaemon(t)
		p := start(t, d.command(example(t, "count.c"), testnet.B, "udp"))
		d.awaitActive(1)
		s := ns.Sender(testnet.A)
		sendAll(t, s, 100, testnet.UDP(1, 100))
		sendAll(t, s, 50, testnet.TCP(1, 100))
		for p.line() != "100 packets, 10000 bytes" {
		}
		p.interrupt()
		p.endsWell()
		d.awaitNone()
	})
}

func TestExamplePackets(t *testing.T) {
	d := startDaemon(t)
	path, _, _ := capture(t, "mapi-www.pcap")
	out, err := d.command(example(t, "packets.c"), path, "GET").CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") != 1 { // one packet, according to the original's tests
		t.Errorf("%v: %s", err, out)
	}
}

func TestExampleSizes(t *testing.T) {
	d := startDaemon(t)
	path, packets, bytes := capture(t, "nd-skype.pcap")
	expected := map[string]string{}
	for _, row := range testdata.Expected(t) {
		if row.File == filepath.Base(path) && row.Kind == "total" {
			expected[row.Key] = row.Value
		}
	}
	out, err := d.command(example(t, "sizes.c"), path).CombinedOutput()
	want := fmt.Sprintf("%s packets, %s bytes, %s to %s\n", packets, bytes, expected["wire_min"], expected["wire_max"])
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}
