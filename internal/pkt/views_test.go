package pkt

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIPv4View(t *testing.T) {
	ip := IPv4(frame(t, "46b80100 12344000 40060102 0a000001 0a0000fe 94040000 ffff"))
	got := []any{ip.Version(), ip.HeaderLen(), ip.TOS(), ip.TotalLength(), ip.ID(), ip.DontFragment(),
		ip.TTL(), ip.Protocol(), ip.Checksum(), ip.Src(), ip.Dst(), ip.Options()}
	want := []any{4, 24, uint8(0xb8), 256, uint16(0x1234), true, uint8(64), uint8(6), uint16(0x0102),
		[4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 254}, []byte{0x94, 4, 0, 0}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
	if o := ip[:22].Options(); !bytes.Equal(o, []byte{0x94, 4}) {
		t.Errorf("cut options % x", o)
	}
}

func TestIPv6View(t *testing.T) {
	ip := IPv6(frame(t, "6ab12345 0100 11 40 "+ip6))
	got := []any{ip.Version(), ip.TrafficClass(), ip.FlowLabel(), ip.PayloadLength(), ip.NextHeader(),
		ip.HopLimit(), ip.Src(), ip.Dst()}
	want := []any{6, uint8(0xab), uint32(0x12345), 256, uint8(17), uint8(64),
		[16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 1}, [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 2}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
}

func TestTransportViews(t *testing.T) {
	s := TCP(frame(t, "3039 0050 00000001 00000002 6018 2000 abcd 0000 01010100 ff"))
	got := []any{s.SrcPort(), s.DstPort(), s.Seq(), s.Ack(), s.HeaderLen(), s.Flags(), s.Window(), s.Checksum(), s.Options()}
	want := []any{uint16(12345), uint16(80), uint32(1), uint32(2), 24, uint8(TCPAck | TCPPsh), uint16(8192), uint16(0xabcd), []byte{1, 1, 1, 0}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("TCP (-want +got):\n%s", d)
	}
	u := UDP(frame(t, "3039 0035 000c abcd"))
	got = []any{u.SrcPort(), u.DstPort(), u.Length(), u.Checksum()}
	want = []any{uint16(12345), uint16(53), uint16(12), uint16(0xabcd)}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("UDP (-want +got):\n%s", d)
	}
}
