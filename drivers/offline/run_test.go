package offline

import (
	"bufio"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

// A counter is the fastest possible sink.
type counter struct{ packets, bytes uint64 }

func (c *counter) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func (c *counter) Batch(pkts []pkt.Packet) {
	for i := range pkts {
		c.bytes += uint64(pkts[i].Wire)
	}
	c.packets += uint64(len(pkts))
}

// TestAllocations checks that a run allocates the same for many packets as for
// none.
func TestAllocations(t *testing.T) {
	ng := le().section()
	ng.iface(1, 1500, ng.opt(optResolution, 12))
	pc := be().pcapHead(0xa1b23c4d, 2, 4, 1500, 0x24000000)
	for i := range 20000 {
		data := frame(i%200, i)
		pc.record(1, 2, data)
		ng.enhanced(0, 1e18, uint32(len(data)), data, ng.opt(optFlags, 2, 0, 0, 0))
	}
	for _, file := range [][]byte{pc.Bytes(), ng.Bytes()} {
		d := opened(t, file)
		src, dec, sink := d.raw, d.dec, &counter{}
		start := d.win.start
		allocs := testing.AllocsPerRun(5, func() {
			src.Rewind()
			d.win.src, d.win.err, d.win.end, d.win.base = src, nil, 0, 0
			d.win.start = 0
			if err := d.win.fill(start); err != nil {
				t.Fatal(err)
			}
			d.win.advance(start)
			d.dec = dec
			if err := d.run(t.Context(), sink); err != nil {
				t.Error(err)
			}
		})
		if allocs > 0 || sink.packets != 6*20000 {
			t.Errorf("%T: %v allocations in a run, %d packets", d.dec, allocs, sink.packets)
		}
	}
}

const benchPackets, benchBytes = 450_000, 617

// benchFile writes 450,000 packets with a mean of 617 bytes: 285 MB.
func benchFile(b *testing.B, head []byte, record func(data []byte) []byte) *os.File {
	f, err := os.Create(filepath.Join(b.TempDir(), "capture"))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	w.Write(head)
	data := frame(2*benchBytes, 1)
	for i := range benchPackets {
		n := 60 + i*7919%(2*(benchBytes-60)+1)
		w.Write(record(data[:n]))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return f
}

func benchmark(b *testing.B, f *os.File) {
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		again, err := os.Open(f.Name())
		if err != nil {
			b.Fatal(err)
		}
		dev, err := Driver{}.OpenFile(b.Context(), own(again))
		if err != nil {
			b.Fatal(err)
		}
		var c counter
		if err := dev.Run(b.Context(), &c); err != nil || c.packets != benchPackets {
			b.Fatalf("%d packets, %v", c.packets, err)
		}
		dev.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchPackets, "ns/packet")
}

func BenchmarkPcap(b *testing.B) {
	head := le().pcapHead(0xa1b2c3d4, 2, 4, 65535, 1)
	benchmark(b, benchFile(b, head.Bytes(), func(data []byte) []byte {
		return le().record(1700000000, 123456, data).Bytes()
	}))
}

func BenchmarkPcapng(b *testing.B) {
	head := le().section().iface(1, 65535)
	benchmark(b, benchFile(b, head.Bytes(), func(data []byte) []byte {
		return le().enhanced(0, 1700000000123456, uint32(len(data)), data).Bytes()
	}))
}

// BenchmarkPread is the lower bound: it reads the same bytes without parsing.
func BenchmarkPread(b *testing.B) {
	f := benchFile(b, nil, func(data []byte) []byte {
		return binary.LittleEndian.AppendUint64(append(data[:len(data):len(data)], make([]byte, 8)...), 0)
	})
	defer f.Close()
	buf := make([]byte, windowSize)
	for b.Loop() {
		for pos := int64(0); ; {
			n, err := f.ReadAt(buf, pos)
			if err != nil {
				break
			}
			pos += int64(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchPackets, "ns/packet")
}

// A rester is a sink that is gone when Run has ended.
type rester struct {
	counter
	rests, resumes int
	gone           bool
}

func (r *rester) Rest() { r.rests++ }

func (r *rester) Resume() {
	if r.resumes++; r.gone {
		panic("a sink that is gone resumes")
	}
}

// TestReadThatHangs ends Run and Close while a read does not return. When the read returns, the
// sink is left alone.
func TestReadThatHangs(t *testing.T) {
	w := le().pcapHead(0xa1b2c3d4, 2, 4, 65535, 1)
	for range 400 {
		w.record(1, 2, frame(1500, 1))
	}
	fs := foreigntest.Hang(t, w.Bytes())
	dev, err := Driver{}.OpenFile(t.Context(), fs.Give(t, foreigntest.User(t), os.O_RDONLY))
	if err != nil {
		t.Fatal(err)
	}
	fs.Hang(foreigntest.Read)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		fs.Await(t, foreigntest.Read, 1)
		cancel()
	}()
	var c rester
	testenv.Within(t, "the end of the device", func() {
		if err := dev.Run(ctx, &c); err != nil || c.packets == 0 || c.packets == 400 {
			t.Errorf("%d packets, %v", c.packets, err)
		}
		dev.Close()
	})
	cancel()
	if c.gone = true; c.rests != c.resumes+1 {
		t.Errorf("%d rests, %d resumptions", c.rests, c.resumes)
	}
	fs.Release()
}
