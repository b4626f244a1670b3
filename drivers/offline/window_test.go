package offline

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

func opened(t testing.TB, file []byte) *device {
	t.Helper()
	f, err := os.Open(save(t, file))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev.(*device)
}

const unknownBlock = 5

// TestLargeBlocks checks that blocks larger than the window, of every kind, are
// read or rejected like by libpcap, and that the next packet is found.
func TestLargeBlocks(t *testing.T) {
	for _, order := range []func() *writer{le, be} {
		for _, n := range []int{windowSize - 16, windowSize - 12, windowSize - 8, windowSize, maxRecord - 12, maxRecord - 8} {
			body := make([]byte, n)
			large := func(kind uint32, head func(b *writer)) *writer {
				w := order().section().iface(1, 0)
				return w.block(kind, w.body(func(b *writer) {
					head(b)
					b.Write(body[b.Len():])
				}))
			}
			for name, w := range map[string]*writer{
				"unknown":   large(unknownBlock, func(*writer) {}),
				"enhanced":  large(blockEnhanced, func(b *writer) { b.u32(0, 1, 2, 60, 60) }),
				"section":   large(blockSection, func(b *writer) { b.u32(byteOrderMagic); b.u16(1, 0) }).iface(1, 0),
				"interface": large(blockInterface, func(b *writer) { b.u16(1, 0); b.u32(0) }),
				"first":     order().section().block(unknownBlock, body[:min(n, maxRecord-64)]).iface(1, 0),
			} {
				w.enhanced(0, 1, 60, frame(60, 1))
				t.Run(fmt.Sprint(name, n, w.order), func(t *testing.T) { agree(t, save(t, w.Bytes())) })
			}
		}
	}
}

// TestLargeBlocksDamaged checks that the error has the start of a skipped block
// that is truncated or has different lengths.
func TestLargeBlocksDamaged(t *testing.T) {
	w := le().section().iface(1, 0).enhanced(0, 1, 60, frame(60, 1))
	at := w.Len()
	w.block(unknownBlock, make([]byte, 3*windowSize))
	for _, n := range []int{1, 12, windowSize, 2*windowSize + 1, w.Len() - at - 4, w.Len() - at - 1} {
		pkts, _, err := readBytes(t, w.Bytes()[:at+n])
		want := fmt.Sprintf("offset %d is truncated: the file ends after %d bytes", at, n)
		if len(pkts) != 1 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d packets, %v; want %q", len(pkts), err, want)
		}
	}
	file := bytes.Clone(w.Bytes())
	file[len(file)-4]++
	pkts, _, err := readBytes(t, file)
	want := fmt.Sprintf("offset %d: block length %d at its start, %d at its end", at, 3*windowSize+12, 3*windowSize+13)
	if len(pkts) != 1 || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%d packets, %v; want %q", len(pkts), err, want)
	}
}

// TestClaimedLength checks that a false length does not allocate memory.
func TestClaimedLength(t *testing.T) {
	for _, kind := range []uint32{unknownBlock, blockEnhanced, blockInterface} {
		w := le().section().iface(1, 0).enhanced(0, 1, 60, frame(60, 1))
		w.u32(kind, maxRecord, 1, 2, 3)
		d := opened(t, w.Bytes())
		if err := d.run(t.Context(), &collector{}); err == nil || len(d.win.buf) > windowSize {
			t.Errorf("block %d: %v with a window of %d bytes", kind, err, len(d.win.buf))
		}
	}
}

// A watcher records the size of the window that held each packet.
type watcher struct {
	d       *device
	windows []int
}

func (w *watcher) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func (w *watcher) Batch(pkts []pkt.Packet) {
	for range pkts {
		w.windows = append(w.windows, len(w.d.win.buf))
	}
}

// TestWindowShrinks checks that the window is large only for a large packet,
// and not for skipped blocks.
func TestWindowShrinks(t *testing.T) {
	w := le().section().iface(1, 0)
	packet := func() { w.enhanced(0, 1, 60, frame(60, 1)) }
	packet()
	w.block(unknownBlock, make([]byte, maxRecord-12))
	packet()
	w.block(blockEnhanced, w.body(func(b *writer) {
		b.u32(0, 1, 2, 60, 60)
		b.Write(make([]byte, 4<<20))
	}))
	for range 10000 {
		packet()
	}
	d := opened(t, w.Bytes())
	sink := &watcher{d: d}
	if err := d.Run(t.Context(), sink); err != nil || len(sink.windows) != 10003 {
		t.Fatalf("%d packets, %v", len(sink.windows), err)
	}
	for i, size := range sink.windows {
		if large := i == 2; large && size < 4<<20 || !large && size != windowSize {
			t.Errorf("packet %d: a window of %d bytes", i, size)
		}
	}
}

// TestMemory checks that small gzip files which decompress to the largest
// blocks cost a device only its small window before Run, and next to nothing
// afterwards.
func TestMemory(t *testing.T) {
	const devices = 8
	large := make([]byte, maxRecord-64) // the maximum size in which an interface is searched
	described := le().section().iface(1, 0)
	for range maxInterfaces - 1 {
		described.iface(1, 0)
	}
	for name, file := range map[string][]byte{
		"unknown first":     le().section().block(unknownBlock, large).iface(1, 0).Bytes(),
		"unknown later":     le().section().iface(1, 0).block(unknownBlock, large).Bytes(),
		"interface options": le().section().block(blockInterface, append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, large[8:]...)).Bytes(),
		"interfaces":        described.Bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			file := zip(t, file)
			if len(file) > 32<<10 {
				t.Fatalf("%d bytes", len(file))
			}
			before := heap()
			var open [devices]*device
			for i := range open {
				open[i] = opened(t, file)
			}
			if n := (heap() - before) / devices; n > 3*windowSize {
				t.Errorf("%d bytes for each device before Run", n)
			}
			for _, d := range open {
				if err := d.Run(t.Context(), &counter{}); err != nil {
					t.Error(err)
				}
			}
			if n := (heap() - before) / devices; n > 64<<10 {
				t.Errorf("%d bytes for each device after Run", n)
			}
			runtime.KeepAlive(open)
		})
	}
}

// heap returns the bytes in use.
func heap() int {
	runtime.GC()
	runtime.GC() // the first call may only have cleared pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestRecordsOfMaxSnap checks that packets of the contract's maximum size are
// read without allocation.
func TestRecordsOfMaxSnap(t *testing.T) {
	w := le().section().iface(1, 0)
	for range 20 {
		w.enhanced(0, 1, drivers.MaxSnap, make([]byte, drivers.MaxSnap), w.opt(optFlags, 2, 0, 0, 0))
	}
	d := opened(t, w.Bytes())
	sink := &watcher{d: d}
	if err := d.Run(t.Context(), sink); err != nil || len(sink.windows) != 20 {
		t.Fatalf("%d packets, %v", len(sink.windows), err)
	}
	for i, size := range sink.windows {
		if size != windowSize {
			t.Errorf("packet %d: a window of %d bytes", i, size)
		}
	}
}
