package offline

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"testing"
)

// A writer builds capture files byte by byte, including invalid ones.
type writer struct {
	bytes.Buffer
	order binary.AppendByteOrder
}

func (w *writer) u16(v ...uint16) {
	for _, v := range v {
		w.Write(w.order.AppendUint16(nil, v))
	}
}

func (w *writer) u32(v ...uint32) {
	for _, v := range v {
		w.Write(w.order.AppendUint32(nil, v))
	}
}

func (w *writer) u64(v uint64) { w.Write(w.order.AppendUint64(nil, v)) }

func le() *writer { return &writer{order: binary.LittleEndian} }
func be() *writer { return &writer{order: binary.BigEndian} }

// pcapHead starts a pcap file.
func (w *writer) pcapHead(magic uint32, major, minor uint16, snap, link uint32) *writer {
	w.u32(magic)
	w.u16(major, minor)
	w.u32(0, 0, snap, link)
	return w
}

// record adds a pcap record with the lengths of data.
func (w *writer) record(sec, frac uint32, data []byte) *writer {
	w.u32(sec, frac, uint32(len(data)), uint32(len(data)))
	w.Write(data)
	return w
}

// block adds a pcapng block with body padded to 32 bits.
func (w *writer) block(kind uint32, body []byte) *writer {
	pad := make([]byte, -len(body)&3)
	total := uint32(12 + len(body) + len(pad))
	w.u32(kind, total)
	w.Write(body)
	w.Write(pad)
	w.u32(total)
	return w
}

func (w *writer) body(f func(b *writer)) []byte {
	b := &writer{order: w.order}
	f(b)
	return b.Bytes()
}

func (w *writer) section() *writer {
	return w.block(blockSection, w.body(func(b *writer) {
		b.u32(byteOrderMagic)
		b.u16(1, 0)
		b.u64(1<<64 - 1)
	}))
}

// iface adds an interface description; opts are encoded options.
func (w *writer) iface(link uint16, snap uint32, opts ...[]byte) *writer {
	return w.block(blockInterface, w.body(func(b *writer) {
		b.u16(link, 0)
		b.u32(snap)
		for _, o := range opts {
			b.Write(o)
		}
	}))
}

// opt encodes an option with its padding.
func (w *writer) opt(code uint16, value ...byte) []byte {
	return w.body(func(b *writer) {
		b.u16(code, uint16(len(value)))
		b.Write(value)
		b.Write(make([]byte, -len(value)&3))
	})
}

func (w *writer) enhanced(id uint32, ticks uint64, wire uint32, data []byte, opts ...[]byte) *writer {
	return w.block(blockEnhanced, w.body(func(b *writer) {
		b.u32(id, uint32(ticks>>32), uint32(ticks), uint32(len(data)), wire)
		b.Write(data)
		b.Write(make([]byte, -len(data)&3))
		for _, o := range opts {
			b.Write(o)
		}
	}))
}

func (w *writer) simple(wire uint32, data []byte) *writer {
	return w.block(blockSimple, w.body(func(b *writer) {
		b.u32(wire)
		b.Write(data)
	}))
}

func (w *writer) obsolete(id uint16, ticks uint64, wire uint32, data []byte) *writer {
	return w.block(blockPacket, w.body(func(b *writer) {
		b.u16(id, 0xffff)
		b.u32(uint32(ticks>>32), uint32(ticks), uint32(len(data)), wire)
		b.Write(data)
	}))
}

// frame returns n bytes that differ for each seed.
func frame(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + seed)
	}
	return b
}

func zip(t testing.TB, members ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, m := range members {
		z := gzip.NewWriter(&b)
		if _, err := z.Write(m); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
