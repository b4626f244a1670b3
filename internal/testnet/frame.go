package testnet

import (
	"bytes"
	"encoding/binary"
	"net"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Minimum sizes of frames created here, in bytes. The minimum of Ethernet is
// 60.
const (
	MinUDP = 60
	MinTCP = headersTCP + len(mark) + 8
)

const (
	headersUDP = 14 + 20 + 8
	headersTCP = 14 + 20 + 20
)

// mark precedes the number in the payload.
const mark = "numbered"

var (
	ipOfA = net.IPv4(10, 0, 0, 1)
	ipOfB = net.IPv4(10, 0, 0, 2)
)

// UDP returns a frame from a to b with the given number in its payload. Its
// size is size bytes, at least MinUDP.
func UDP(number uint64, size int) []byte {
	ip := ipv4(layers.IPProtocolUDP)
	udp := &layers.UDP{SrcPort: 40000, DstPort: 5000}
	udp.SetNetworkLayerForChecksum(ip)
	return serialize(ip, udp, payload(number, size-headersUDP))
}

// TCP returns a frame from a to b with the given number in its payload. Its
// size is size bytes, at least MinTCP.
func TCP(number uint64, size int) []byte {
	ip := ipv4(layers.IPProtocolTCP)
	tcp := &layers.TCP{SrcPort: 40000, DstPort: 80, Seq: uint32(number), ACK: true, PSH: true, Window: 1024}
	tcp.SetNetworkLayerForChecksum(ip)
	return serialize(ip, tcp, payload(number, size-headersTCP))
}

// A Tag is a VLAN tag: its type (0x8100 for 802.1Q, 0x88a8 for 802.1ad) and its
// control information, whose upper three bits are the priority.
type Tag struct{ TPID, TCI uint16 }

// Tagged returns frame with tags inserted, outermost first.
func Tagged(frame []byte, tags ...Tag) []byte {
	const addresses = 12
	out := bytes.Clone(frame[:addresses])
	for _, t := range tags {
		out = binary.BigEndian.AppendUint16(out, t.TPID)
		out = binary.BigEndian.AppendUint16(out, t.TCI)
	}
	return append(out, frame[addresses:]...)
}

// Number returns the number of a frame created here, wherever its payload
// starts.
func Number(frame []byte) (uint64, bool) {
	i := bytes.Index(frame, []byte(mark))
	if i < 0 || len(frame)-i < len(mark)+8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(frame[i+len(mark):]), true
}

// SetNumber changes the number of a frame in place, for senders that have no
// time to build frames. It does not update checksums.
func SetNumber(frame []byte, number uint64) {
	i := bytes.Index(frame, []byte(mark)) + len(mark)
	binary.BigEndian.PutUint64(frame[i:], number)
}

func ipv4(p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: p, SrcIP: ipOfA, DstIP: ipOfB}
}

func payload(number uint64, size int) gopacket.Payload {
	b := binary.BigEndian.AppendUint64([]byte(mark), number)
	for len(b) < size {
		b = append(b, byte(number)+byte(len(b)))
	}
	return b
}

func serialize(upper ...gopacket.SerializableLayer) []byte {
	eth := &layers.Ethernet{SrcMAC: MACofA, DstMAC: MACofB, EthernetType: layers.EthernetTypeIPv4}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	all := append([]gopacket.SerializableLayer{eth}, upper...)
	if err := gopacket.SerializeLayers(buf, opts, all...); err != nil {
		panic("testnet: a frame cannot be built: " + err.Error())
	}
	return buf.Bytes()
}
