package stdflib

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

var hash = flib.Def{
	Name: "HASH",
	Description: "Computes a number from the bytes of the newest packet that reached it: their count and sum, " +
		"modulo 500009. Equal bytes give equal numbers.",
	Args: []flib.Arg{{
		Name: "layer", Kind: flib.Int, Min: 0, Max: anyHeaders + maxLayer,
		Doc: "Which captured bytes are hashed. 0: the whole frame. 1: everything after the link header. " +
			"2: everything after the IPv4 header, or the first 8 bytes of ARP and RARP. 3: payload of TCP or UDP over IPv4, " +
			"everything after the first 8 bytes of ICMP; in later fragments as many bytes are left out, as if they had such a header. " +
			"Layers 1 to 3 exist only on Ethernet without VLAN tags and on Cisco HDLC; in other packets nothing is hashed. " +
			"With mapi.AnyHeaders added it also looks behind tags and labels, at IPv6 and at other link types; " +
			"later fragments then have no layer 3.",
	}},
	Result:  "uint32: number below 500009; 0 if nothing was hashed",
	Fields:  []flib.Field{{Name: "value", Kind: flib.FieldUint32}},
	Example: `flow.Apply(ctx, "HASH", 3)`,
	Call:    `HASH(3)`,
	New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
		layer := args.Int(0) &^ anyHeaders
		if layer > maxLayer {
			return nil, mapierr.New(mapierr.InvalidArgument1,
				"HASH: argument 1 (layer): %d is not in 0..%d, also with mapi.AnyHeaders (%d) added", args.Int(0), maxLayer, anyHeaders)
		}
		out, err := env.NewResult(result.HashSize)
		return &hasher{layer: layer, any: layer != args.Int(0), out: out}, err
	},
}

// maxLayer is the highest layer of HASH, the payload of transport protocols.
const maxLayer = 3

type hasher struct {
	layer int32
	any   bool // looks behind any headers
	out   *flib.Result
}

// Process hashes only the last packet, because its hash overwrites earlier ones.
func (h *hasher) Process(in []*flib.Packet) []*flib.Packet {
	p := in[len(in)-1]
	var b []byte
	if h.any {
		b = anyLayerBytes(p, h.layer)
	} else {
		b = layerBytes(p, h.layer)
	}
	const modulus = 500009
	h.out.Set(uint64((uint32(len(b)) + byteSum(b)) % modulus))
	return in
}

// layerBytes returns the captured bytes that are hashed for a layer.
func layerBytes(p *flib.Packet, layer int32) []byte {
	if layer == 0 {
		return p.Link
	}
	etherType, net, ok := netHeader(p)
	switch {
	case !ok:
		return nil
	case layer == 1:
		return net
	case etherType == pkt.EtherTypeIPv4:
		return ipv4Bytes(net, layer)
	case layer == 2 && isARP(etherType):
		return between(net, 8, len(net))
	}
	return nil
}

// isARP reports whether an EtherType is ARP or RARP (RFC 903).
func isARP(etherType uint16) bool { return etherType == pkt.EtherTypeARP || etherType == 0x8035 }

// ipv4Bytes is layerBytes from an IPv4 header on, for layers 2 and 3. The total length in
// the header limits both. As in the original, later fragments are read as if they began
// with a transport header.
func ipv4Bytes(b []byte, layer int32) []byte {
	if len(b) < 20 {
		return nil
	}
	ip := pkt.IPv4(b)
	data := between(b, ip.HeaderLen(), ip.TotalLength())
	if layer == 2 {
		return data
	}
	switch ip.Protocol() {
	case pkt.ProtoTCP:
		if len(data) >= 20 {
			return between(data, pkt.TCP(data).HeaderLen(), len(data))
		}
	case pkt.ProtoUDP, pkt.ProtoICMP:
		return between(data, 8, len(data))
	}
	return nil
}

// between returns b[from:to], cut to the bytes that b has.
func between(b []byte, from, to int) []byte {
	to = min(to, len(b))
	if from >= to {
		return nil
	}
	return b[from:to]
}

// byteSum adds up bytes, eight at a time: two for each quarter of a word. No
// packet is long enough for the sum to overflow.
func byteSum(b []byte) (sum uint32) {
	const even, low = 0x00ff00ff00ff00ff, 0x0000ffff0000ffff
	for len(b) >= 8 {
		quarters := uint64(0)
		some := b[:min(len(b)&^7, 1024)] // 128*510 is the largest sum that fits into a quarter
		for i := 0; i+8 <= len(some); i += 8 {
			w := binary.LittleEndian.Uint64(some[i:])
			quarters += w&even + w>>8&even
		}
		b = b[len(some):]
		halves := quarters&low + quarters>>16&low
		sum += uint32(halves) + uint32(halves>>32)
	}
	for _, c := range b {
		sum += uint32(c)
	}
	return sum
}
