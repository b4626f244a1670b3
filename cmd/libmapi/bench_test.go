package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// measured runs speed.c and returns the time in ns and the number of reads or packets.
func measured(b *testing.B, d *daemon, args ...string) (ns, n float64) {
	b.Helper()
	program := compile(b, source(b, "speed.c"), strict...)
	out, err := d.command(program, args...).Output()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if _, err := fmt.Sscan(string(out), &ns, &n); err != nil {
		b.Fatalf("%q: %v", out, err)
	}
	return ns, n
}

// BenchmarkReadResults measures mapi_read_results of a counter.
func BenchmarkReadResults(b *testing.B) {
	testnet.Run(b, func(*testnet.NS) {
		ns, n := measured(b, startDaemon(b), "results", testnet.B, fmt.Sprint(10_000_000))
		b.ReportMetric(ns/n, "ns/read")
		b.ReportMetric(0, "ns/op")
	})
}

// BenchmarkPackets measures mapi_get_next_pkt in a loop over a file: a mix of real
// packets, and packets of 64 bytes, which are the harder case.
func BenchmarkPackets(b *testing.B) {
	d := startDaemon(b)
	for name, path := range map[string]string{
		"mixed": filepath.Join(testdata.Dir(b), "mixed-merged.pcap"),
		"small": smallPackets(b, 2_000_000),
	} {
		b.Run(name, func(b *testing.B) {
			var ns, n float64
			for b.Loop() {
				t, c := measured(b, d, "packets", path)
				ns, n = ns+t, n+c
			}
			b.ReportMetric(n/ns*1e3, "Mpkt/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// smallPackets creates a pcap file of n UDP packets.
func smallPackets(b *testing.B, n int) string {
	b.Helper()
	frame := testnet.UDP(1, 64)
	u32 := binary.LittleEndian.AppendUint32
	head := u32(u32(u32(u32(u32(u32(nil, 0xa1b2c3d4), 4<<16|2), 0), 0), 65535), 1)
	record := append(u32(u32(u32(u32(nil, 1), 0), 64), 64), frame...)
	path := filepath.Join(b.TempDir(), "small.pcap")
	if err := os.WriteFile(path, append(head, bytes.Repeat(record, n)...), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
