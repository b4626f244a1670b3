package pkt

import "encoding/binary"

// IPv4 is a packet starting with its IPv4 header, at least 20 bytes (RFC 791,
// section 3.1). Its methods panic on less; Headers.IPv4 returns at least that,
// or nil.
type IPv4 []byte

func (p IPv4) Version() int       { return int(p[0] >> 4) }
func (p IPv4) HeaderLen() int     { return int(p[0]&15) * 4 } // bytes, according to the header
func (p IPv4) TOS() uint8         { return p[1] }             // DSCP and ECN
func (p IPv4) TotalLength() int   { return int(binary.BigEndian.Uint16(p[2:])) }
func (p IPv4) ID() uint16         { return binary.BigEndian.Uint16(p[4:]) }
func (p IPv4) TTL() uint8         { return p[8] }
func (p IPv4) Protocol() uint8    { return p[9] }
func (p IPv4) Checksum() uint16   { return binary.BigEndian.Uint16(p[10:]) }
func (p IPv4) Src() [4]byte       { return [4]byte(p[12:]) }
func (p IPv4) Dst() [4]byte       { return [4]byte(p[16:]) }
func (p IPv4) fragment() uint16   { return binary.BigEndian.Uint16(p[6:]) }
func (p IPv4) DontFragment() bool { return p[6]&0x40 != 0 }

// Options returns the captured part of the options; it aliases p.
func (p IPv4) Options() []byte {
	return p[ipv4Len:max(ipv4Len, min(p.HeaderLen(), len(p)))]
}

// IPv6 is a packet starting with its IPv6 header, at least 40 bytes (RFC 8200,
// section 3). Its methods panic on less; Headers.IPv6 returns at least that, or
// nil.
type IPv6 []byte

func (p IPv6) Version() int        { return int(p[0] >> 4) }
func (p IPv6) TrafficClass() uint8 { return p[0]<<4 | p[1]>>4 }
func (p IPv6) FlowLabel() uint32   { return binary.BigEndian.Uint32(p) & 0xfffff }
func (p IPv6) PayloadLength() int  { return int(binary.BigEndian.Uint16(p[4:])) }
func (p IPv6) NextHeader() uint8   { return p[6] }
func (p IPv6) HopLimit() uint8     { return p[7] }
func (p IPv6) Src() [16]byte       { return [16]byte(p[8:]) }
func (p IPv6) Dst() [16]byte       { return [16]byte(p[24:]) }

// Flags of TCP (RFC 9293, section 3.1).
const (
	TCPFin = 1 << iota
	TCPSyn
	TCPRst
	TCPPsh
	TCPAck
	TCPUrg
	TCPEce
	TCPCwr
)

// TCP is a segment starting with its header, at least 20 bytes (RFC 9293,
// section 3.1). Its methods panic on less; Headers.TCP returns at least that,
// or nil.
type TCP []byte

func (s TCP) SrcPort() uint16  { return binary.BigEndian.Uint16(s) }
func (s TCP) DstPort() uint16  { return binary.BigEndian.Uint16(s[2:]) }
func (s TCP) Seq() uint32      { return binary.BigEndian.Uint32(s[4:]) }
func (s TCP) Ack() uint32      { return binary.BigEndian.Uint32(s[8:]) }
func (s TCP) HeaderLen() int   { return int(s[12]>>4) * 4 } // bytes, according to the header
func (s TCP) Flags() uint8     { return s[13] }
func (s TCP) Window() uint16   { return binary.BigEndian.Uint16(s[14:]) }
func (s TCP) Checksum() uint16 { return binary.BigEndian.Uint16(s[16:]) }

// Options returns the captured part of the options; it aliases s.
func (s TCP) Options() []byte {
	return s[tcpLen:max(tcpLen, min(s.HeaderLen(), len(s)))]
}

// UDP is a datagram starting with its header, at least 8 bytes (RFC 768). Its
// methods panic on less.
type UDP []byte

func (d UDP) SrcPort() uint16  { return binary.BigEndian.Uint16(d) }
func (d UDP) DstPort() uint16  { return binary.BigEndian.Uint16(d[2:]) }
func (d UDP) Length() uint16   { return binary.BigEndian.Uint16(d[4:]) } // header and payload, bytes
func (d UDP) Checksum() uint16 { return binary.BigEndian.Uint16(d[6:]) }
