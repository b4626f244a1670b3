package stdflib

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

// hashRange is the number of values of HASHSAMP's hash.
const hashRange = 1024

// maxSamples is the number of samples that are kept for the reader. Then the newest
// overwrite the oldest.
//
// The original keeps the oldest 40, which come at once: a program that is a little late
// gets only old samples. In both cases the packets pass.
const maxSamples = 1000

var hashSamp = flib.Def{
	Name: "HASHSAMP",
	Description: "Passes the TCP and UDP packets over IPv4 whose hash of addresses, ports and protocol is below a limit: " +
		"all packets of one direction of a connection, or none. It can keep a sample of their headers.",
	Args: []flib.Arg{{
		Name: "range", Kind: flib.Int, Min: 1, Max: anyHeaders + hashRange,
		Doc: "Packets with a hash below this pass, about range/1024 of all connections. Only TCP and UDP over IPv4 " +
			"on Ethernet without VLAN tags or on Cisco HDLC can pass, and only if the ports were captured. With mapi.AnyHeaders added " +
			"it also looks behind tags and labels, at IPv6 and at other link types.",
	}, {
		Name: "keep", Kind: flib.Int,
		Doc: "0: only pass packets. Any other number: also keep a sample of each packet that passes, for the program to read.",
	}},
	Filters: true,
	Result: "with keep, 40 bytes for each packet that passed: uint32 addresses (2, network order), ports (2), " +
		"TCP sequence number, flags, protocol, 6 for IPv6; uint64 time stamp in 2^-32 seconds since 1970-01-01 UTC. " +
		"At least the newest 1000 are kept; the original kept the oldest 40",
	Example: `flow.Apply(ctx, "HASHSAMP", 128, 0)`,
	Call:    `HASHSAMP(128, 0)`,
	New:     newHashSampler,
}

func newHashSampler(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	limit := args.Int(0) &^ anyHeaders
	if limit < 1 || limit > hashRange {
		return nil, mapierr.New(mapierr.InvalidArgument1,
			"HASHSAMP: argument 1 (range): %d is not in 1..%d, also with mapi.AnyHeaders (%d) added", args.Int(0), hashRange, anyHeaders)
	}
	h := &hashSampler{limit: uint32(limit), any: limit != args.Int(0)}
	if args.Int(1) == 0 {
		return h, nil
	}
	var err error
	if h.samples, err = env.NewSeries(result.HashSampleSize, maxSamples); err != nil {
		return nil, mapierr.Wrap(mapierr.CodeOf(err, mapierr.DaemonShm), "HASHSAMP: no memory for the samples", err)
	}
	return h, nil
}

// hashSampler passes the packets whose hash is below limit.
type hashSampler struct {
	limit   uint32
	any     bool // looks behind any headers
	out     []*flib.Packet
	samples *flib.Ring // of the packets that passed; nil: not kept
	entry   [result.HashSampleSize]byte
}

func (h *hashSampler) Process(in []*flib.Packet) []*flib.Packet {
	h.out = h.out[:0]
	for _, p := range in {
		var s segment
		var ok bool
		if h.any {
			s, ok = anySegmentOf(p)
		} else {
			s, ok = segmentOf(p)
		}
		if !ok || s.hash() >= h.limit {
			continue
		}
		h.out = append(h.out, p)
		if h.samples != nil {
			sample := s.sample(p.TS)
			sample.Put(h.entry[:])
			h.samples.Append(h.entry[:])
		}
	}
	if h.samples != nil && len(h.out) > 0 {
		h.samples.Flush()
	}
	return h.out
}

func (h *hashSampler) End() []*flib.Packet {
	if h.samples != nil {
		h.samples.End()
	}
	return nil
}

// A segment is the part of a TCP or UDP packet that HASHSAMP reads.
type segment struct {
	src, dst uint32 // addresses, read as little-endian words
	proto    uint8
	ipv6     bool   // the addresses are folded
	data     []byte // captured bytes from the ports on; it includes the ports
}

// segmentOf finds the ports of an IPv4 packet as the original does. It reports false for
// all other packets, and for later fragments, which have no ports.
func segmentOf(p *flib.Packet) (s segment, ok bool) {
	etherType, net, ok := netHeader(p)
	if !ok || etherType != pkt.EtherTypeIPv4 || len(net) < 20 {
		return segment{}, false
	}
	ip := pkt.IPv4(net)
	later := binary.BigEndian.Uint16(net[6:])&0x1fff != 0
	if proto := ip.Protocol(); later || proto != pkt.ProtoTCP && proto != pkt.ProtoUDP {
		return segment{}, false
	}
	s = segment{
		src: binary.LittleEndian.Uint32(net[12:]), dst: binary.LittleEndian.Uint32(net[16:]),
		proto: ip.Protocol(), data: between(net, ip.HeaderLen(), len(net)),
	}
	return s, len(s.data) >= 4
}

// hash is Bob Jenkins's mixing function of 1996 over addresses, protocol and ports, with
// the original's peculiarities: signed shifts, and words read from the packet as
// little-endian.
func (s *segment) hash() uint32 {
	const golden = -0x61c88647 // 2^32 divided by the golden ratio, as int32
	a := int32(s.src) + golden
	b := int32(s.dst^uint32(s.proto)) + golden
	c := int32(binary.LittleEndian.Uint32(s.data)) + 6564987
	a = (a - b - c) ^ c>>13
	b = (b - c - a) ^ a<<8
	c = (c - a - b) ^ b>>13
	a = (a - b - c) ^ c>>12
	b = (b - c - a) ^ a<<16
	c = (c - a - b) ^ b>>5
	a = (a - b - c) ^ c>>3
	b = (b - c - a) ^ a<<10
	c = (c - a - b) ^ b>>15
	return uint32(c) % hashRange
}

// sample returns the sample of a packet with time stamp ts.
func (s *segment) sample(ts uint64) result.HashSample {
	r := result.HashSample{
		TS: ts, Proto: s.proto, IPv6: s.ipv6,
		SrcPort: binary.BigEndian.Uint16(s.data), DstPort: binary.BigEndian.Uint16(s.data[2:]),
	}
	binary.LittleEndian.PutUint32(r.Src[:], s.src)
	binary.LittleEndian.PutUint32(r.Dst[:], s.dst)
	if s.proto == pkt.ProtoTCP && len(s.data) >= 20 {
		tcp := pkt.TCP(s.data)
		r.Seq, r.Flags = tcp.Seq(), sampleFlags(tcp.Flags())
	}
	return r
}

// sampleFlags converts the flags of a TCP header.
func sampleFlags(header uint8) (flags result.SampleFlags) {
	for _, f := range [...]struct {
		header uint8
		sample result.SampleFlags
	}{
		{pkt.TCPSyn, result.SampleSYN}, {pkt.TCPAck, result.SampleACK}, {pkt.TCPRst, result.SampleRST},
		{pkt.TCPFin, result.SampleFIN}, {pkt.TCPPsh, result.SamplePSH},
	} {
		if header&f.header != 0 {
			flags |= f.sample
		}
	}
	return flags
}
