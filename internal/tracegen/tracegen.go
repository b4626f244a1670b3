// Package tracegen writes the capture file for the benchmark: a mix of Ethernet
// packets like on a busy access link, of any length, and identical on every
// machine for the same seed. docs/bench.md describes the mix.
//
// Packets belong to conversations between hosts of a few networks. TCP
// conversations start with a handshake, have consistent sequence numbers and
// end with FIN, so that functions that follow connections find some. Lengths
// are consistent and checksums correct. Payloads are noise, printable or not.
//
//	sum, err := tracegen.Write(file, tracegen.BenchPackets, 1)
package tracegen

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// BenchPackets is the number of packets in the benchmark's file, about 285 MB.
const BenchPackets = 450_000

const (
	snapLen   = 65535
	dltEN10MB = 1
	recordLen = 16
	startTime = 1_700_000_000 // of the first packet, Unix seconds
	writeSize = 1 << 20
)

// Summary describes the output of Write. The kinds overlap: every TCP packet is
// also an IPv4 or IPv6 packet.
type Summary struct {
	Packets  uint64
	Bytes    uint64 // on the wire, without FCS; all are captured
	FileSize uint64 // bytes
	IPv4     uint64
	IPv6     uint64
	ARP      uint64
	VLAN     uint64 // packets with an 802.1Q tag
	TCP      uint64
	UDP      uint64
	ICMP     uint64        // ICMP and ICMPv6
	Duration time.Duration // from the first packet to the last
}

// Write writes a capture file with this number of packets to w: pcap,
// little-endian, microseconds, Ethernet. It buffers its writes. It returns
// errors of w, and an error for a negative number of packets.
func Write(w io.Writer, packets int, seed uint64) (Summary, error) {
	if packets < 0 {
		return Summary{}, fmt.Errorf("write a capture of %d packets: the number cannot be negative", packets)
	}
	g := newGenerator(seed)
	if err := g.write(w, packets); err != nil {
		return Summary{}, fmt.Errorf("write capture: %w", err)
	}
	g.sum.FileSize = fileHeaderLen + recordLen*g.sum.Packets + g.sum.Bytes
	return g.sum, nil
}

// write writes the file.
func (g *generator) write(w io.Writer, packets int) error {
	out := bufio.NewWriterSize(w, writeSize)
	out.Write(fileHeader()) // a bufio.Writer keeps its first error for Flush
	var now time.Duration
	for range packets {
		record := g.packet()
		putRecordHeader(record, now)
		if _, err := out.Write(record); err != nil {
			return err
		}
		g.sum.Duration = now
		now += g.gap()
	}
	return out.Flush()
}

const fileHeaderLen = 24

func fileHeader() []byte {
	b := make([]byte, fileHeaderLen)
	binary.LittleEndian.PutUint32(b, 0xa1b2c3d4)
	binary.LittleEndian.PutUint16(b[4:], 2)
	binary.LittleEndian.PutUint16(b[6:], 4)
	binary.LittleEndian.PutUint32(b[16:], snapLen)
	binary.LittleEndian.PutUint32(b[20:], dltEN10MB)
	return b
}

// putRecordHeader fills the start of record. since is the time since the first
// packet of the file.
func putRecordHeader(record []byte, since time.Duration) {
	us := uint64(since / time.Microsecond)
	length := uint32(len(record) - recordLen)
	binary.LittleEndian.PutUint32(record, uint32(startTime+us/1e6))
	binary.LittleEndian.PutUint32(record[4:], uint32(us%1e6))
	binary.LittleEndian.PutUint32(record[8:], length)
	binary.LittleEndian.PutUint32(record[12:], length)
}
