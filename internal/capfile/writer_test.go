package capfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket/pcap"
	"golang.org/x/sys/unix"

	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/outfile"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

func create(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// reads checks that libpcap reads exactly pkts from the file.
func reads(t *testing.T, path string, pkts []*pkt.Packet) {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for i, p := range pkts {
		data, info, err := h.ReadPacketData()
		if err != nil {
			t.Fatalf("packet %d of %d: %v", i, len(pkts), err)
		}
		want := pkt.Time(p.TS).Round(time.Microsecond)
		if !bytes.Equal(data, p.Link) || info.Length != int(p.Wire) || !info.Timestamp.Equal(want) {
			t.Fatalf("packet %d: %d of %d bytes at %v, want %d of %d at %v", i,
				len(data), info.Length, info.Timestamp, len(p.Link), p.Wire, want)
		}
	}
	if _, _, err := h.ReadPacketData(); err != io.EOF {
		t.Errorf("after the last packet: %v", err)
	}
}

// TestEverySizeAcrossTheSeam writes records of sizes that wrap around the end
// of the queue in every way, with waits for room.
func TestEverySizeAcrossTheSeam(t *testing.T) {
	f := create(t)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet, Park: func(wait func()) { wait() }})
	var all []*pkt.Packet
	for size := range 3600 {
		all = append(all, frames(size, 1, size+1)...)
	}
	all = append(all, frames(9000, 1, maxSnap)...)
	for _, batch := range [][]*pkt.Packet{all[:1], all[1:100], all[100:]} {
		w.Add(batch)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if c := w.balanced(uint64(len(all))); c.Written != uint64(len(all)) {
		t.Errorf("%+v", c)
	}
	reads(t, f.Name(), all)
}

func TestLimit(t *testing.T) {
	f := create(t)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet, Limit: 50})
	pkts := frames(0, 80, 60)
	w.Add(pkts[:40])
	w.Add(pkts[40:])
	if err := w.end(); err != nil { // without Close
		t.Fatal(err)
	}
	reads(t, f.Name(), pkts[:50])
	w.Add(pkts)
	if c := w.balanced(160); c.Written != 50 || c.Beyond != 110 {
		t.Errorf("%+v", c)
	}
}

// TestOtherLinkTypesAndLongPackets adds packets that the file cannot hold, or
// not entirely.
func TestOtherLinkTypesAndLongPackets(t *testing.T) {
	f := create(t)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet, Limit: 3})
	pkts := frames(0, 4, 60)
	pkts[1].LinkType = pkt.DLTRaw
	pkts[2].Link = make([]byte, maxSnap+1)
	pkts[2].Wire = maxSnap + 1
	w.Add(pkts)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if c := w.balanced(4); c.Written != 3 || c.OtherType != 1 || c.Cut != 1 {
		t.Errorf("%+v", c)
	}
	pkts[2].Link = pkts[2].Link[:maxSnap]
	reads(t, f.Name(), slices.Delete(pkts, 1, 2))
}

// TestLittleIsFlushedSoon reads a packet from a pipe before another packet
// follows.
func TestLittleIsFlushedSoon(t *testing.T) {
	r, f := pipe(t)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet})
	if _, err := io.ReadFull(r, make([]byte, headSize)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		w.Add(frames(i, 1, 60))
		testenv.Within(t, "a packet", func() {
			if _, err := io.ReadFull(r, make([]byte, recordHead+60)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLiveLosesWhatDoesNotFit fills a pipe without a reader. Add never waits;
// afterwards the reader gets exactly the packets that were not lost.
func TestLiveLosesWhatDoesNotFit(t *testing.T) {
	r, f := pipe(t)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet})
	var all, kept []*pkt.Packet
	for w.Counts().Full < 10 {
		batch := frames(len(all), 100, 1400)
		before := w.Counts()
		w.Add(batch)
		all = append(all, batch...)
		kept = append(kept, batch[:100-(w.Counts().Full-before.Full)]...)
	}
	if c := w.balanced(uint64(len(all))); c.Waiting == 0 {
		t.Errorf("%+v", c)
	}
	path := filepath.Join(t.TempDir(), "read.pcap")
	read := make(chan error)
	go func() {
		b, err := io.ReadAll(r)
		read <- errors.Join(err, os.WriteFile(path, b, 0o600))
	}()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	if c := w.balanced(uint64(len(all))); c.Written != uint64(len(kept)) || c.Waiting != 0 {
		t.Errorf("%+v, %d were kept", c, len(kept))
	}
	reads(t, path, kept)
}

// TestOfflineWaits adds more than fits to a pipe whose reader starts late.
func TestOfflineWaits(t *testing.T) {
	r, f := pipe(t)
	parked := make(chan struct{}, 1)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet, Park: func(wait func()) { tell(parked); wait() }})
	pkts := frames(0, 8000, 1400)
	path := filepath.Join(t.TempDir(), "read.pcap")
	read := make(chan error)
	go func() {
		<-parked
		b, err := io.ReadAll(r)
		read <- errors.Join(err, os.WriteFile(path, b, 0o600))
	}()
	for batch := range slices.Chunk(pkts, 256) {
		w.Add(batch)
	}
	w.Finish()
	if err := errors.Join(w.end(), <-read); err != nil {
		t.Fatal(err)
	}
	if c := w.balanced(8000); c.Written != 8000 {
		t.Errorf("%+v", c)
	}
	reads(t, path, pkts)
}

// TestInterruptEndsTheWait interrupts a Writer that waits for a pipe without a
// reader. Close does not wait for the reader either.
func TestInterruptEndsTheWait(t *testing.T) {
	_, f := pipe(t)
	parked := make(chan struct{}, 1)
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet, Park: func(wait func()) { tell(parked); wait() }})
	added := make(chan struct{})
	go func() {
		w.Add(frames(0, 8000, 1400))
		close(added)
	}()
	<-parked
	w.Interrupt()
	testenv.Within(t, "Add of an interrupted writer", func() { <-added })
	testenv.Within(t, "Close", func() {
		if err := w.Close(); !errors.Is(err, outfile.ErrStopped) {
			t.Errorf("Close gives %v", err)
		}
	})
	if err := w.end(); !errors.Is(err, outfile.ErrStopped) {
		t.Errorf("the end is %v", err)
	}
	if c := w.balanced(8000); c.Closed == 0 || c.Waiting != 0 || c.Full != 0 {
		t.Errorf("%+v", c)
	}
}

// TestFailure checks that a failure of the file is reported and counted, and
// does not block Add.
func TestFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	r, gone := pipe(t)
	r.Close()
	for _, c := range []struct {
		file *os.File
		want error
	}{{full, unix.ENOSPC}, {gone, unix.EPIPE}} {
		w := begin(t, c.file, Options{LinkType: pkt.DLTEthernet})
		w.Add(frames(0, 10, 60))
		if err := w.end(); !errors.Is(err, c.want) {
			t.Errorf("%s: the end is %v", c.file.Name(), err)
		}
		w.Add(frames(10, 10, 60))
		if err := w.Close(); !errors.Is(err, c.want) {
			t.Errorf("%s: Close gives %v", c.file.Name(), err)
		}
		if c := w.balanced(20); c.Failed != 20 {
			t.Errorf("%+v", c)
		}
	}
}

// TestFileSystemThatFillsUp checks that exactly the whole packets are counted.
func TestFileSystemThatFillsUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a file system")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	f, err := os.Create(filepath.Join(dir, "out.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet})
	w.Add(frames(0, 1000, 284)) // records of 300 bytes
	if err := w.end(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("the end is %v", err)
	}
	c := w.balanced(1000)
	if want := uint64(65536-headSize) / 300; c.Written != want || c.FileBytes != 65536 || c.Failed != 1000-want {
		t.Errorf("%+v, want %d written", c, want)
	}
}

// TestClosedBeforeStart checks that Close leaves nothing behind.
func TestClosedBeforeStart(t *testing.T) {
	f := create(t)
	file, err := outfile.Open(t.Context(), foreigntest.Own(t, f), 0)
	if err != nil {
		t.Fatal(err)
	}
	w := New(file, Options{LinkType: pkt.DLTEthernet})
	w.Interrupt()
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	f, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, f, Options{LinkType: pkt.DLTEthernet})
	batch := frames(0, 256, 300)
	if n := testing.AllocsPerRun(1000, func() { w.Add(batch) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

// BenchmarkAdd copies batches into the queue; the file is /dev/null.
func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{60, 1460} {
		b.Run(map[int]string{60: "60", 1460: "1460"}[size], func(b *testing.B) {
			f, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			file, err := outfile.Open(b.Context(), foreigntest.Own(b, f), 0)
			if err != nil {
				b.Fatal(err)
			}
			w := New(file, Options{LinkType: pkt.DLTEthernet, Park: func(wait func()) { wait() }, Ended: func(error) {}})
			w.Start()
			defer w.Close()
			batch := frames(0, 256, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for n := 0; n < b.N; n += len(batch) {
				w.Add(batch)
			}
		})
	}
}
