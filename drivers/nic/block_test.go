package nic

import (
	"bytes"
	"context"
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/testnet"
)

// TestLayout compares the offsets of block.go, frames.go and header.go with the
// structures of x/sys/unix.
func TestLayout(t *testing.T) {
	desc := reflect.TypeFor[unix.TpacketBlockDesc]()
	v1 := reflect.TypeFor[unix.TpacketHdrV1]()
	hdr := reflect.TypeFor[unix.Tpacket3Hdr]()
	hdr2 := reflect.TypeFor[unix.Tpacket2Hdr]()
	tag := reflect.TypeFor[unix.TpacketHdrVariant1]()
	ll := reflect.TypeFor[unix.RawSockaddrLinklayer]()
	in := func(s reflect.Type, field string) int {
		f, ok := s.FieldByName(field)
		if !ok {
			t.Fatalf("%v has no field %s", s, field)
		}
		return int(f.Offset)
	}
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"blockStatus", blockStatus, in(desc, "Hdr") + in(v1, "Block_status")},
		{"blockPackets", blockPackets, in(desc, "Hdr") + in(v1, "Num_pkts")},
		{"blockNumber", blockNumber, in(desc, "Hdr") + in(v1, "Seq_num")},
		{"blockFirst", blockFirst, in(desc, "Hdr") + in(v1, "Offset_to_first_pkt")},
		{"blockHeader", blockHeader, int(desc.Size())},
		{"packetNext", packetNext, in(hdr, "Next_offset")},
		{"packetSec", packetSec, in(hdr, "Sec")},
		{"packetNsec", packetNsec, in(hdr, "Nsec")},
		{"packetCap", packetCap, in(hdr, "Snaplen")},
		{"packetLen", packetLen, in(hdr, "Len")},
		{"packetStatus", packetStatus, in(hdr, "Status")},
		{"packetMAC", packetMAC, in(hdr, "Mac")},
		{"packetNet", packetNet, in(hdr, "Net")},
		{"packetTCI", packetTCI, in(hdr, "Hv1") + in(tag, "Vlan_tci")},
		{"packetTPID", packetTPID, in(hdr, "Hv1") + in(tag, "Vlan_tpid")},
		{"packetAddress", packetAddress, int(hdr.Size())},
		{"packetHeader", packetHeader, int(hdr.Size()) + int(ll.Size())},
		{"frameStatus", frameStatus, in(hdr2, "Status")},
		{"frameLen", frameLen, in(hdr2, "Len")},
		{"frameCap", frameCap, in(hdr2, "Snaplen")},
		{"frameMAC", frameMAC, in(hdr2, "Mac")},
		{"frameNet", frameNet, in(hdr2, "Net")},
		{"frameSec", frameSec, in(hdr2, "Sec")},
		{"frameNsec", frameNsec, in(hdr2, "Nsec")},
		{"frameTCI", frameTCI, in(hdr2, "Vlan_tci")},
		{"frameTPID", frameTPID, in(hdr2, "Vlan_tpid")},
		{"frameAddress", frameAddress, int(hdr2.Size())},
		{"addressProtocol", addressProtocol, in(ll, "Protocol")},
		{"addressIndex", addressIndex, in(ll, "Ifindex")},
		{"addressHardware", addressHardware, in(ll, "Hatype")},
		{"addressType", addressType, in(ll, "Pkttype")},
		{"addressLength", addressLength, in(ll, "Halen")},
		{"addressBytes", addressBytes, in(ll, "Addr")},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, want %d", c.name, c.got, c.want)
		}
	}
}

// frameAt is the offset at which the kernel puts Ethernet frames, with 4 bytes
// reserved.
const frameAt = 86

// makeBlock builds a block like the kernel. Every other packet has a tag.
func makeBlock(size int, frames ...[]byte) []byte {
	block := make([]byte, size)
	ne := binary.NativeEndian
	ne.PutUint32(block[blockPackets:], uint32(len(frames)))
	ne.PutUint32(block[blockFirst:], blockHeader)
	at := blockHeader
	for i, f := range frames {
		rec := block[at:]
		step := (frameAt + len(f) + 15) &^ 15
		if i < len(frames)-1 {
			ne.PutUint32(rec[packetNext:], uint32(step))
		}
		ne.PutUint32(rec[packetSec:], 1700000000)
		ne.PutUint32(rec[packetNsec:], uint32(i))
		ne.PutUint32(rec[packetCap:], uint32(len(f)))
		ne.PutUint32(rec[packetLen:], uint32(len(f)))
		ne.PutUint16(rec[packetMAC:], frameAt)
		ne.PutUint16(rec[packetNet:], frameAt+14)
		ne.PutUint16(rec[packetAddress+addressHardware:], unix.ARPHRD_ETHER)
		if i%2 == 1 {
			ne.PutUint32(rec[packetStatus:], unix.TP_STATUS_VLAN_VALID)
			ne.PutUint32(rec[packetTCI:], 5)
		}
		copy(rec[frameAt:], f)
		at += step
	}
	return block
}

var plainView = newView(defaults(), linkTypeOf(unix.ARPHRD_ETHER))

// walk returns the packets of a block and the counters of v afterwards.
func walk(v view, block []byte) (got []drivers.Packet, counted view) {
	batch := make([]drivers.Packet, 4)
	c := newCursor(block)
	for {
		n := v.fill(&c, batch)
		if n == 0 {
			return got, v
		}
		got = append(got, batch[:n]...)
	}
}

func TestWalk(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 5, 100} {
		var frames, want [][]byte
		for i := range n {
			f := testnet.UDP(uint64(i), 60+i)
			frames = append(frames, f)
			if i%2 == 1 {
				f = testnet.Tagged(f, testnet.Tag{TPID: 0x8100, TCI: 5}) // no type given: 802.1Q
			}
			want = append(want, f)
		}
		got, c := walk(plainView, makeBlock(1<<20, frames...))
		sameFrames(t, got, want)
		if c.broken != 0 || c.truncated != 0 {
			t.Errorf("%d packets: %d broken, %d truncated", n, c.broken, c.truncated)
		}
		for i, p := range got {
			if p.TS != pkt.TS(1700000000, uint64(i)) || cap(p.Link) != len(p.Link) {
				t.Errorf("packet %d: time %x, room %d", i, p.TS, cap(p.Link))
			}
		}
	}
}

// TestWalkBroken has blocks that the kernel never writes. The walk ends or
// skips the packet, and counts it.
func TestWalkBroken(t *testing.T) {
	ne := binary.NativeEndian
	second := blockHeader + (frameAt+60+15)&^15
	for name, c := range map[string]struct {
		spoil        func(block []byte)
		good, broken int
	}{
		"count too large":         {func(b []byte) { ne.PutUint32(b[blockPackets:], 1<<32-1) }, 2, 4096/packetHeader - 2},
		"first beyond the block":  {func(b []byte) { ne.PutUint32(b[blockFirst:], 1<<31) }, 0, 3},
		"first at the end":        {func(b []byte) { ne.PutUint32(b[blockFirst:], 4096) }, 0, 3},
		"first in the header":     {func(b []byte) { ne.PutUint32(b[blockFirst:], 8) }, 0, 3},
		"next is zero":            {func(b []byte) { ne.PutUint32(b[blockHeader:], 0) }, 0, 3},
		"next beyond the block":   {func(b []byte) { ne.PutUint32(b[second:], 1<<32-1) }, 1, 2},
		"frame beyond the packet": {func(b []byte) { ne.PutUint32(b[second+packetCap:], 4096) }, 2, 1},
		"captured is huge":        {func(b []byte) { ne.PutUint32(b[second+packetCap:], 1<<32-1) }, 2, 1},
		"more captured than sent": {func(b []byte) { ne.PutUint32(b[second+packetLen:], 1) }, 2, 1},
		"frame in the header":     {func(b []byte) { ne.PutUint16(b[second+packetMAC:], 20) }, 2, 1},
		"no room for the tag":     {func(b []byte) { ne.PutUint16(b[second+packetMAC:], packetHeader) }, 2, 1},
		"longer than any packet":  {func(b []byte) { ne.PutUint32(b[second+packetLen:], 1<<32-1) }, 2, 1},
	} {
		block := makeBlock(4096, testnet.UDP(0, 60), testnet.UDP(1, 60), testnet.UDP(2, 60))
		c.spoil(block)
		got, cur := walk(plainView, block)
		if len(got) != c.good || int(cur.broken) != c.broken {
			t.Errorf("%s: %d packets, %d broken; want %d, %d", name, len(got), cur.broken, c.good, c.broken)
		}
	}
}

func TestRestoreTagOfShortFrame(t *testing.T) {
	for size := range 14 {
		block := makeBlock(4096, nil, make([]byte, size))
		got, _ := walk(plainView, block)
		if len(got) != 2 || len(got[1].Link) != size+4 || got[1].Wire != uint32(size+4) {
			t.Errorf("frame of %d bytes: %+v", size, got)
		}
	}
}

// views are all variants of a view.
var views = map[string]view{
	"Ethernet":  plainView,
	"raw":       newView(defaults(), linkTypeOf(unix.ARPHRD_NONE)),
	"cooked":    newView(defaults(), linkTypeOf(unix.ARPHRD_SIT)),
	"cooked v2": newView(defaults(), anyLink),
}

func FuzzWalk(f *testing.F) {
	f.Add(makeBlock(1024, testnet.UDP(0, 60), testnet.UDP(1, 60)))
	f.Add(makeBlock(1024))
	f.Fuzz(func(t *testing.T, block []byte) {
		if len(block) < blockHeader {
			return // a block has at least one page
		}
		for name, v := range views {
			got, c := walk(v, bytes.Clone(block))
			if most := len(block) / packetHeader; len(got)+int(c.broken) > most {
				t.Errorf("%s: %d packets and %d broken in %d bytes", name, len(got), c.broken, len(block))
			}
			for _, p := range got {
				if uint32(len(p.Link)) > p.Wire || len(p.Link) > int(v.snap) {
					t.Errorf("%s: %d bytes of %d", name, len(p.Link), p.Wire)
				}
			}
		}
	})
}

type discard struct{ packets int }

func (d *discard) Batch(pkts []drivers.Packet) { d.packets += len(pkts) }

func (d *discard) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func manyFrames() [][]byte {
	frames := make([][]byte, 1000)
	for i := range frames {
		frames[i] = testnet.UDP(uint64(i), 60)
	}
	return frames
}

// ringOf returns a device with a ring of one block, and a function that hands
// the block over again like the kernel.
func ringOf(block []byte) (d *device, again func()) {
	r := &blockRing{mapping: mapping{geometry: geometry{blockBytes: len(block), blocks: 1}, mem: block}}
	d = &device{view: plainView, batch: make([]drivers.Packet, drivers.MaxBatch), sock: &socket{fd: -1, ring: r}}
	return d, func() { *statusOf(block[blockStatus:]) = unix.TP_STATUS_USER }
}

func TestTakeAllocatesNothing(t *testing.T) {
	for name, v := range views {
		d, again := ringOf(makeBlock(1<<20, manyFrames()...))
		d.view = v
		s := new(discard)
		n := testing.AllocsPerRun(10, func() {
			again()
			d.take(s)
		})
		if n != 0 || s.packets != 11*1000 {
			t.Errorf("%s: %v allocations, %d packets delivered of 11 blocks of 1000", name, n, s.packets)
		}
	}
}

func TestWaitAllocatesNothing(t *testing.T) {
	d := &device{control: -1}
	if err := d.prepareWaiting(); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.wake.watch(ctx)()
	if n := testing.AllocsPerRun(10, func() { _, _ = d.wait(time.Time{}) }); n != 0 {
		t.Errorf("%v allocations in a wait", n)
	}
}

func BenchmarkTake(b *testing.B) {
	d, again := ringOf(makeBlock(1<<20, manyFrames()...))
	s := new(discard)
	b.ReportAllocs()
	for b.Loop() {
		again()
		d.take(s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(s.packets), "ns/packet")
}
