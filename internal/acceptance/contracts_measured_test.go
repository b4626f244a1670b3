package acceptance

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"github.com/google/gopacket/pcapgo"

	"gomapi/mapi/mapitest"
)

// A frame is a packet as libpcap or gopacket reads it.
type frame struct {
	data []byte
	wire int
	ts   uint64
	link layers.LinkType
}

// A row is the functions of a flow, with the packets and bytes that must be counted
// behind them.
type row struct {
	calls []call
	want  [2]uint64
}

// A sampled is a record that SAMPLES must make.
type sampled struct {
	ts   uint64
	kind uint16
	data []byte
}

// maxSample is the maximum size of a record of SAMPLES: half of its buffer, less its head.
const maxSample = 32<<10 - 20

// measured is what the functions of flibtest must find in a capture.
type measured struct {
	packets  uint64
	rows     []row
	lengths  [1 << 16]uint64
	talkers  uint64 // at the end
	talking  uint64 // sum of the talkers at each packet
	samples  []sampled
	oversize uint64 // records that are too large
}

// measure reads a capture without the project. Its counts of packets and filters are those
// of tcpdump.
func measure(t *testing.T, c *capture, path string) *measured {
	t.Helper()
	frames, link := framesBy(t, c, plain(t, path))
	m := &measured{packets: uint64(len(frames))}
	if want := max(c.packets, c.good); m.packets != want {
		t.Fatalf("%d packets are read of %d", m.packets, want)
	}
	tr := &trace{link: link}
	size := uint64(0)
	for _, f := range frames {
		size += uint64(f.wire)
		tr.packets = append(tr.packets, mapitest.Packet{Data: f.data, Wire: f.wire})
		m.lengths[min(f.wire, 1<<16-1)]++
		if kind, data := kindOf(f.data, f.wire); len(data) <= maxSample {
			m.samples = append(m.samples, sampled{f.ts, kind, data})
		} else {
			m.oversize++
		}
	}
	if c.status == "ok" && size != c.bytes {
		t.Fatalf("%d bytes are read of %d", size, c.bytes)
	}
	m.countTalkers(frames)
	m.addRows(c, tr, size)
	return m
}

// addRows adds flows with filters and searches before and behind functions that emit.
func (m *measured) addRows(c *capture, tr *trace, size uint64) {
	echo, join := call{name: "ECHO"}, call{name: "JOIN"}
	add := func(packets, bytes uint64, calls ...call) {
		m.rows = append(m.rows, row{calls, [2]uint64{packets, bytes}})
	}
	add(2*m.packets, 2*size, echo)
	add(4*m.packets, 4*size, echo, echo)
	add((m.packets+2)/3, size, join)
	add(2*((m.packets+2)/3), 2*size, join, echo)
	add((2*m.packets+2)/3, 2*size, echo, join)
	joined := tr.join()
	for _, expr := range []string{"tcp", "udp", "ip", "greater 1000"} {
		n, ok := c.filters[expr] // of tcpdump
		if !ok {
			continue
		}
		filter := call{"BPF_FILTER", []any{expr}}
		add(2*n[0], 2*n[1], echo, filter)
		add(2*n[0], 2*n[1], filter, echo)
		add((n[0]+2)/3, n[1], filter, join)
		if s, ok := joined.filtering(expr); ok {
			packets, bytes := joined.count(s.lets)
			add(packets, bytes, join, filter)
			add(2*packets, 2*bytes, join, echo, filter)
		}
	}
	for _, text := range []string{"HTTP", "\x00\x00", "\x45\x00"} {
		s := tr.searching(quest{alternatives: [][]byte{[]byte(text)}})
		packets, bytes := tr.count(s.lets)
		add(2*packets, 2*bytes, echo, s.call)
		add(2*packets, 2*bytes, s.call, echo)
		packets, bytes = joined.count(joined.search(quest{alternatives: [][]byte{[]byte(text)}}))
		add(packets, bytes, join, s.call)
	}
}

// count returns the packets and bytes of a set.
func (tr *trace) count(of set) (packets, bytes uint64) {
	for i, in := range of {
		if in {
			packets, bytes = packets+1, bytes+uint64(tr.packets[i].Wire)
		}
	}
	return packets, bytes
}

// join makes one packet of every three.
func (tr *trace) join() *trace {
	out := &trace{link: tr.link}
	for i, p := range tr.packets {
		if i%3 == 0 {
			out.packets = append(out.packets, mapitest.Packet{})
		}
		q := &out.packets[len(out.packets)-1]
		q.Data, q.Wire = append(q.Data, p.Data...), q.Wire+p.Wire
	}
	return out
}

// framesBy reads a file up to its end, or to its damage: with libpcap, or with gopacket if it
// has several link types, which libpcap does not read.
func framesBy(t *testing.T, c *capture, path string) ([]frame, *pcap.Handle) {
	t.Helper()
	if c.link == "per-packet" {
		return framesByGopacket(t, path), nil
	}
	h, err := pcap.OpenOffline(path)
	must(t, err)
	t.Cleanup(h.Close)
	var frames []frame
	for data, info, err := h.ReadPacketData(); err == nil; data, info, err = h.ReadPacketData() {
		frames = append(frames, frame{data, info.Length, stamp(info.Timestamp), h.LinkType()})
	}
	return frames, h
}

func framesByGopacket(t *testing.T, path string) (frames []frame) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	must(t, err)
	for data, info, err := r.ReadPacketData(); err == nil; data, info, err = r.ReadPacketData() {
		frames = append(frames, frame{data, info.Length, stamp(info.Timestamp), info.AncillaryData[0].(layers.LinkType)})
	}
	return frames
}

// stamp is a time in 2^-32 s since 1970, rounded up. A packet without a time has 0.
func stamp(at time.Time) uint64 {
	if at.IsZero() {
		return 0
	}
	return uint64(at.Unix())<<32 | (uint64(at.Nanosecond())<<32+1e9-1)/1e9
}

// countTalkers counts, at each packet, the IPv4 addresses that have sent a packet within the
// last 10 seconds of packet time.
func (m *measured) countTalkers(frames []frame) {
	newest, last := uint64(0), make(map[[4]byte]uint64)
	for _, f := range frames {
		newest = max(newest, f.ts)
		if from, ok := sender(f); ok && from != [4]byte{} {
			last[from] = f.ts
		}
		for from, ts := range last {
			if ts+10<<32 <= newest {
				delete(last, from)
			}
		}
		m.talkers = uint64(len(last))
		m.talking += m.talkers
	}
}

// sender returns the source of the outermost IP header, if it is IPv4. gopacket decodes up to
// that header, and does not check its version and length.
func sender(f frame) (from [4]byte, ok bool) {
	var first gopacket.Decoder = f.link
	data := f.data
	if f.link == 276&0xff && len(data) >= 20 { // LINKTYPE_LINUX_SLL2, which gopacket does not know
		first, data = layers.EthernetType(uint16(data[0])<<8|uint16(data[1])), data[20:]
	}
	p := gopacket.NewPacket(data, first, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	if ip, is := p.NetworkLayer().(*layers.IPv4); is && ip.Version == 4 && ip.IHL >= 5 {
		return [4]byte(ip.SrcIP.To4()), true
	}
	return from, false
}
