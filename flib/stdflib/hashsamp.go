package stdflib

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

// hashRange is the number of values that the hash of HASHSAMP has.
const hashRange = 1024

// maxSamples is how many samples wait for their reader; then the newest take the
// place of the oldest.
const maxSamples = 1000

var hashSamp = flib.Def{
	Name: "HASHSAMP",
	Description: "Lets through the TCP and UDP packets over IPv4 whose hash of addresses, ports and protocol is small enough: " +
		"all packets of a direction of a connection, or none. It can keep what their headers tell.",
	Args: []flib.Arg{{
		Name: "range", Kind: flib.Int, Min: 1, Max: hashRange,
		Doc: "Packets with a hash below this pass, about range/1024 of all connections. Other packets than TCP and UDP over IPv4 " +
			"on Ethernet without VLAN tags or Cisco HDLC never pass, nor do those whose ports were not captured.",
	}, {
		Name: "keep", Kind: flib.Int,
		Doc: "0: only pass packets. Any other number: also keep a sample of each that passes, for the program to read.",
	}},
	Filters: true,
	Result: "with keep, for each packet that passed 40 bytes: uint32 addresses (2, network order), ports (2), " +
		"TCP sequence number, flags, protocol; 4 bytes unused; uint64 time stamp in 2^-32 seconds since 1970-01-01 UTC",
	Example: `flow.Apply(ctx, "HASHSAMP", 128, 0)`,
	New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
		h := &hashSampler{limit: uint32(args.Int(0))}
		if args.Int(1) == 0 {
			return h, nil
		}
		var err error
		if h.samples, err = env.NewSeries(result.HashSampleSize, maxSamples); err != nil {
			return nil, mapierr.Wrap(mapierr.CodeOf(err, mapierr.DaemonShm), "HASHSAMP: no memory for the samples", err)
		}
		return h, nil
	},
}

// hashSampler passes the packets whose hash is below limit.
type hashSampler struct {
	limit   uint32
	out     []*flib.Packet
	samples *flib.Ring // of what passed; nil: not kept
	entry   [result.HashSampleSize]byte
}

func (h *hashSampler) Process(in []*flib.Packet) []*flib.Packet {
	h.out = h.out[:0]
	for _, p := range in {
		ip, segment := ports(p)
		if segment == nil || flowHash(ip, segment) >= h.limit {
			continue
		}
		h.out = append(h.out, p)
		if h.samples != nil {
			h.keep(p.TS, ip, segment)
		}
	}
	if h.samples != nil && len(h.out) > 0 {
		h.samples.Flush()
	}
	return h.out
}

func (h *hashSampler) keep(ts uint64, ip pkt.IPv4, segment []byte) {
	s := sampleOf(ts, ip, segment)
	s.Put(h.entry[:])
	h.samples.Append(h.entry[:])
}

func (h *hashSampler) End() []*flib.Packet {
	if h.samples != nil {
		h.samples.End()
	}
	return nil
}

// ports finds the IPv4 header of a TCP or UDP packet and the captured bytes from
// its ports on, nil when there are none. A later fragment has no ports.
func ports(p *flib.Packet) (ip pkt.IPv4, segment []byte) {
	etherType, net, ok := netHeader(p)
	if !ok || etherType != pkt.EtherTypeIPv4 || len(net) < 20 {
		return nil, nil
	}
	ip = pkt.IPv4(net)
	later := binary.BigEndian.Uint16(net[6:])&0x1fff != 0
	if proto := ip.Protocol(); later || proto != pkt.ProtoTCP && proto != pkt.ProtoUDP {
		return nil, nil
	}
	segment = between(net, ip.HeaderLen(), len(net))
	if len(segment) < 4 {
		return nil, nil
	}
	return ip, segment
}

// flowHash is Bob Jenkins's mixing function of 1996 over addresses, protocol and
// ports, with the original's peculiarities: signed shifts, and words that are
// read from the packet as little-endian ones.
func flowHash(ip pkt.IPv4, segment []byte) uint32 {
	const golden = -0x61c88647 // 2^32 divided by the golden ratio, as int32
	word := func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }
	a := word(ip[12:]) + golden
	b := (word(ip[16:]) ^ int32(ip.Protocol())) + golden
	c := word(segment) + 6564987
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

// sampleOf tells about a packet what ports found.
func sampleOf(ts uint64, ip pkt.IPv4, segment []byte) result.HashSample {
	s := result.HashSample{
		TS: ts, Src: ip.Src(), Dst: ip.Dst(), Proto: ip.Protocol(),
		SrcPort: binary.BigEndian.Uint16(segment), DstPort: binary.BigEndian.Uint16(segment[2:]),
	}
	if s.Proto == pkt.ProtoTCP && len(segment) >= 20 {
		tcp := pkt.TCP(segment)
		s.Seq, s.Flags = tcp.Seq(), sampleFlags(tcp.Flags())
	}
	return s
}

// sampleFlags translates the flags of a TCP header.
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
