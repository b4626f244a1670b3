package offline

import (
	"bytes"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// pcapSeeds are small files. pcapgo wrote the first.
func pcapSeeds(t testing.TB) [][]byte {
	var b bytes.Buffer
	w := pcapgo.NewWriterNanos(&b)
	if err := w.WriteFileHeader(100, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := w.WritePacket(info(i), frame(20*i, i)); err != nil {
			t.Fatal(err)
		}
	}
	long := le().pcapHead(0xa1b2cd34, 2, 4, 100, 1)
	lyingRecords(long, true)
	old := be().pcapHead(0xa1b2c3d4, 2, 3, 100, 0x24000000)
	lyingRecords(old, false)
	return [][]byte{b.Bytes(), long.Bytes()[:600], old.Bytes()[:600]}
}

func pcapngSeeds(t testing.TB) [][]byte {
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := w.WritePacket(info(i), frame(20*i, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	seeds := [][]byte{b.Bytes(), mixedSections().Bytes()}
	for _, c := range pcapngCases(be) {
		seeds = append(seeds, c.Bytes())
	}
	return seeds
}

func info(i int) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Unix(1700000000, int64(i)), CaptureLength: 20 * i, Length: 20*i + i}
}

func FuzzPcap(f *testing.F) {
	for _, s := range pcapSeeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file []byte) { survive(t, file) })
}

func FuzzPcapng(f *testing.F) {
	for _, s := range pcapngSeeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file []byte) { survive(t, file) })
}

func FuzzGzip(f *testing.F) {
	for _, s := range append(pcapSeeds(f), pcapngSeeds(f)...) {
		f.Add(zip(f, s[:len(s)/2], s[len(s)/2:]))
	}
	f.Fuzz(func(t *testing.T, file []byte) { survive(t, file) })
}

// An inspector checks every batch against the device's window.
type inspector struct {
	t       *testing.T
	d       *device
	packets uint64
	bytes   int64
}

func (s *inspector) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func (s *inspector) Batch(pkts []pkt.Packet) {
	if len(pkts) == 0 || len(pkts) > drivers.MaxBatch {
		s.t.Fatalf("a batch of %d packets", len(pkts))
	}
	s.packets += uint64(len(pkts))
	from := reflect.ValueOf(s.d.win.buf).Pointer()
	for i := range pkts {
		p := &pkts[i]
		at := reflect.ValueOf(p.Link).Pointer()
		if at < from || at+uintptr(len(p.Link)) > from+uintptr(s.d.win.start) {
			s.t.Fatalf("packet %d is outside the data read", i)
		}
		if len(p.Link) > drivers.MaxSnap || cap(p.Link) != len(p.Link) {
			s.t.Fatalf("packet %d: %d bytes, capacity %d", i, len(p.Link), cap(p.Link))
		}
		if cut := p.Flags&pkt.Truncated != 0; cut != (len(p.Link) < int(p.Wire)) {
			s.t.Fatalf("packet %d: truncated %t, %d of %d bytes", i, cut, len(p.Link), p.Wire)
		}
		s.bytes += int64(len(p.Link))
	}
}

// survive reads a file of arbitrary bytes. The run must end, use bounded memory
// and report an offset within the file.
func survive(t *testing.T, file []byte) {
	fd, err := unix.MemfdCreate("capture", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "capture")
	if _, err := f.Write(file); err != nil {
		t.Fatal(err)
	}
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		mustCode(t, err)
		return
	}
	defer dev.Close()
	d := dev.(*device)
	sink := &inspector{t: t, d: d}
	if err := d.run(t.Context(), sink); err != nil {
		mustCode(t, err)
	}
	switch {
	case d.Stats().Recv != sink.packets+d.Stats().Errors:
		t.Errorf("stats %+v, %d packets", d.Stats(), sink.packets)
	case sink.bytes > d.win.offset():
		t.Errorf("%d bytes of packets in %d bytes", sink.bytes, d.win.offset())
	case len(d.win.buf) > maxRecord:
		t.Errorf("window of %d bytes", len(d.win.buf))
	case !d.zipped && d.win.offset() > int64(len(file)), !d.zipped && len(d.win.buf) > max(windowSize, 2*len(file)):
		t.Errorf("offset %d, window %d for a file of %d bytes", d.win.offset(), len(d.win.buf), len(file))
	}
}

// TestLibpcapMutations damages files at random after their headers. Of pcap we
// must read the same as libpcap. Of pcapng we may read more, if the damage
// looks like an interface with another link type, but not less and nothing
// else.
func TestLibpcapMutations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const pcapngOpened = 28 + 20
	ng := le().section().iface(1, 100)
	for i := range 5 {
		ng.enhanced(0, 1700000000123456, 60, frame(20*i, i)).block(5, frame(7, i))
	}
	for range 600 {
		mutateAndAgree(t, rnd, ng.Bytes(), pcapngOpened)
		for _, s := range pcapSeeds(t)[:2] {
			mutateAndAgree(t, rnd, s, pcapFileHead)
		}
	}
}

func mutateAndAgree(t *testing.T, rnd *rand.Rand, file []byte, from int) {
	t.Helper()
	file = bytes.Clone(file)
	for range 1 + rnd.IntN(3) {
		i := from + rnd.IntN(len(file)-from)
		if rnd.IntN(2) == 0 {
			file[i] ^= 1 << rnd.IntN(8)
		} else {
			file[i] = byte(rnd.IntN(4))
		}
	}
	file = file[:len(file)-rnd.IntN(2)*rnd.IntN(20)]
	path := save(t, file)
	if from == pcapFileHead {
		agree(t, path)
		return
	}
	ref := libpcap(path)
	pkts, _, err := read(t, path)
	if ref.err == nil && err != nil || len(pkts) < len(ref.pkts) {
		t.Errorf("libpcap reads %d packets, error %v; we %d, %v", len(ref.pkts), ref.err, len(pkts), err)
		return
	}
	samePackets(t, ref, pkts[:len(ref.pkts)])
}
