package result

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Layout of a HashSample: offsets of uint32s, and of the timestamp, a uint64.
const (
	sampleSrc     = 0 // addresses are in network byte order, other fields in the host's
	sampleDst     = 4
	sampleSrcPort = 8
	sampleDstPort = 12
	sampleSeq     = 16
	sampleFlags   = 20
	sampleProto   = 24
	sampleVersion = 28 // 6 for IPv6, otherwise 0; unused in the original
	sampleTS      = 32

	// HashSampleSize is the size of a HashSample.
	HashSampleSize = 40
)

// SampleFlags are the flags of a TCP header in a sample. Their bits differ from
// those in the header.
type SampleFlags uint32

// Flags in samples.
const (
	SampleSYN SampleFlags = 1 << iota
	SampleACK
	SampleRST
	SampleFIN
	SamplePSH
)

// String names the flags that are set, as "SYN,ACK", or is "none".
func (f SampleFlags) String() string {
	var names []string
	for i, name := range []string{"SYN", "ACK", "RST", "FIN", "PSH"} {
		if flag := SampleFlags(1) << i; f&flag != 0 {
			names = append(names, name)
			f &^= flag
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(f)))
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ",")
}

// A HashSample is an entry of the result of HASHSAMP: one packet that it passed
// on.
type HashSample struct {
	TS       uint64  // 2^-32 seconds since 1970-01-01 UTC
	Src, Dst [4]byte // addresses; for IPv6 the exclusive or of their four words
	SrcPort  uint16
	DstPort  uint16
	Seq      uint32      // TCP only, otherwise 0
	Flags    SampleFlags // TCP only, otherwise 0
	Proto    uint8       // 6: TCP, 17: UDP
	IPv6     bool
}

// Time is TS as a time.Time in UTC.
func (s *HashSample) Time() time.Time { return packetTime(s.TS) }

// Source is the packet's source address and port.
func (s *HashSample) Source() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(s.Src), s.SrcPort)
}

// Destination is the packet's destination address and port.
func (s *HashSample) Destination() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(s.Dst), s.DstPort)
}

// ParseHashSample decodes a sample. It returns false if b is too short.
func ParseHashSample(b []byte) (HashSample, bool) {
	if len(b) < HashSampleSize {
		return HashSample{}, false
	}
	u32 := binary.NativeEndian.Uint32
	return HashSample{
		TS:      binary.NativeEndian.Uint64(b[sampleTS:]),
		Src:     [4]byte(b[sampleSrc:]),
		Dst:     [4]byte(b[sampleDst:]),
		SrcPort: uint16(u32(b[sampleSrcPort:])),
		DstPort: uint16(u32(b[sampleDstPort:])),
		Seq:     u32(b[sampleSeq:]),
		Flags:   SampleFlags(u32(b[sampleFlags:])),
		Proto:   uint8(u32(b[sampleProto:])),
		IPv6:    u32(b[sampleVersion:]) == 6,
	}, true
}

// Put encodes s into b, which has HashSampleSize bytes.
func (s *HashSample) Put(b []byte) {
	put := binary.NativeEndian.PutUint32
	copy(b[sampleSrc:], s.Src[:])
	copy(b[sampleDst:], s.Dst[:])
	put(b[sampleSrcPort:], uint32(s.SrcPort))
	put(b[sampleDstPort:], uint32(s.DstPort))
	put(b[sampleSeq:], s.Seq)
	put(b[sampleFlags:], uint32(s.Flags))
	put(b[sampleProto:], uint32(s.Proto))
	put(b[sampleVersion:], 0)
	if s.IPv6 {
		put(b[sampleVersion:], 6)
	}
	binary.NativeEndian.PutUint64(b[sampleTS:], s.TS)
}
