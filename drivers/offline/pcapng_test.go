package offline

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// TestTime compares times of every resolution with arithmetic that cannot
// overflow.
func TestTime(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for res := range 256 {
		in := iface{}
		if err := in.setResolution(byte(res)); err != nil {
			if res < 20 || res >= 0x80 && res < 0x80+64 {
				t.Error(err)
			}
			continue
		}
		for range 200 {
			ticks := rnd.Uint64() >> rnd.IntN(64)
			in.offset = int64(rnd.Uint64()>>rnd.IntN(64)) * int64(rnd.IntN(3)-1)
			want, beyond := exactTime(ticks, byte(res), in.offset)
			if got, flags := in.time(ticks); got != want || flags != beyond {
				t.Fatalf("%d ticks of %#x with offset %d: %#x, flags %b, want %#x, %b", ticks, res, in.offset, got, flags, want, beyond)
			}
		}
	}
}

func exactTime(ticks uint64, res byte, offset int64) (uint64, pkt.Flags) {
	base := int64(10)
	if res&0x80 != 0 {
		base = 2
	}
	perSecond := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(res&0x7f)), nil)
	v := new(big.Int).SetUint64(ticks)
	v.Lsh(v, 32).Add(v, perSecond).Sub(v, big.NewInt(1)).Quo(v, perSecond) // rounded up
	v.Add(v, new(big.Int).Lsh(big.NewInt(offset), 32))
	switch {
	case v.Sign() < 0:
		return 0, pkt.OutOfTime
	case !v.IsUint64():
		return math.MaxUint64, pkt.OutOfTime
	}
	return v.Uint64(), 0
}

// TestTimeIsTS checks that microseconds and nanoseconds give the value of
// pkt.TS, so that pkt.Split returns them exactly.
func TestTimeIsTS(t *testing.T) {
	micro, nano := iface{resolution: 1e6}, iface{resolution: 1e9}
	for i := range uint64(1e6) {
		if got, _ := micro.time(1700000000e6 + i); got != pkt.TS(1700000000, i*1000) {
			t.Fatalf("%d us: %#x", i, got)
		}
		ns := i*1000 + i%1000
		if got, _ := nano.time(1700000000e9 + ns); got != pkt.TS(1700000000, ns) {
			t.Fatalf("%d ns: %#x", ns, got)
		}
	}
}

// TestOutOfTime checks that packets before 1970 and after 2106 are marked and
// counted, in files of both formats.
func TestOutOfTime(t *testing.T) {
	ng := le().section().iface(1, 0).iface(1, 0, le().opt(optOffset, 0x9c, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)) // -100 s
	ng.enhanced(0, 4323283200e6, 60, frame(60, 1)).enhanced(0, 1700000000e6, 60, frame(60, 2)).enhanced(1, 10e6, 60, frame(60, 3))
	plain := le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1).record(1<<32-1, 1_500_000, frame(60, 1)).record(1<<32-1, 999_999, frame(60, 2))
	for name, c := range map[string]struct {
		file  []byte
		times []uint64
		count uint64
	}{
		"pcapng": {ng.Bytes(), []uint64{pkt.Latest, 1700000000 << 32, 0}, 2},
		"pcap":   {plain.Bytes(), []uint64{pkt.Latest, pkt.TS(1<<32-1, 999_999_000)}, 1},
	} {
		d := opened(t, c.file)
		var all collector
		if err := d.Run(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		pkts, st := all.pkts, d.Stats()
		for i, p := range pkts {
			beyond := p.TS == pkt.Latest || p.TS == 0
			if p.TS != c.times[i] || beyond != (p.Flags&pkt.OutOfTime != 0) {
				t.Errorf("%s, packet %d: time %#x, flags %b", name, i, p.TS, p.Flags)
			}
		}
		if len(pkts) != len(c.times) || st.OutOfTime != c.count {
			t.Errorf("%s: %d packets, stats %+v", name, len(pkts), st)
		}
	}
}

// TestSections mixes what libpcap does not read: byte orders, link types,
// snapshot lengths. tshark is the reference.
func TestSections(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark as the second reader")
	}
	path := save(t, mixedSections().Bytes())
	out, err := exec.Command(tshark, "-n", "-r", path, "-T", "fields", "-e", "frame.interface_id",
		"-e", "frame.cap_len", "-e", "frame.len", "-e", "frame.time_epoch").Output()
	if err != nil {
		t.Fatal(err)
	}
	pkts, _, err := read(t, path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(pkts) {
		t.Fatalf("%d packets, tshark reads %d", len(pkts), len(lines))
	}
	for i, p := range pkts {
		sec, nsec := pkt.Split(p.TS)
		got := fmt.Sprintf("%d\t%d\t%d\t%d.%09d", p.IfIndex, len(p.Link), p.Wire, sec, nsec)
		// tshark numbers interfaces per file, we number them per section.
		f := strings.SplitN(lines[i], "\t", 2)
		if want := fmt.Sprintf("%d\t%s", p.IfIndex, f[1]); got != want {
			t.Errorf("packet %d: %s, tshark says %s", i, got, want)
		}
	}
	for i, want := range []struct{ id, link uint16 }{{0, 1}, {1, 12}, {0, 113}, {1, 1}, {0, 1}} {
		if p := pkts[i]; p.IfIndex != want.id || p.LinkType != want.link {
			t.Errorf("packet %d: interface %d, link type %d, want %+v", i, p.IfIndex, p.LinkType, want)
		}
	}
}

func mixedSections() *writer {
	w := le().section().iface(1, 100).iface(101, 1500, le().opt(optResolution, 9))
	w.enhanced(0, 1700000000123456, 1000, frame(100, 1))
	w.enhanced(1, 1700000000123456789, 1400, frame(1399, 2))
	w.order = binary.BigEndian
	w.section().iface(113, 0, w.opt(optResolution, 3)).iface(1, 60)
	w.enhanced(0, 1700000000123, 200, frame(200, 3))
	w.obsolete(1, 1700000001123456, 60, frame(33, 4))
	w.order = binary.LittleEndian
	return w.section().iface(1, 60).enhanced(0, 1700000002000001, 59, frame(59, 5))
}

func TestDirection(t *testing.T) {
	w := le()
	flags := func(v byte) []byte { return w.opt(optFlags, v, 0, 0, 0) }
	comment := w.opt(1, []byte("hello")...)
	w.section().iface(1, 0)
	w.enhanced(0, 1, 5, frame(5, 0), flags(packetOutbound), w.opt(optEnd))
	w.enhanced(0, 1, 5, frame(5, 0), comment, flags(packetOutbound))
	w.enhanced(0, 1, 5, frame(5, 0), flags(1), flags(packetOutbound))
	w.enhanced(0, 1, 5, frame(5, 0), w.opt(optEnd), flags(packetOutbound))
	w.enhanced(0, 1, 5, frame(5, 0), []byte{2, 0, 200, 0})
	w.enhanced(0, 1, 5, frame(5, 0))
	pkts, _, err := readBytes(t, w.Bytes())
	if err != nil || len(pkts) != 6 {
		t.Fatalf("%d packets, %v", len(pkts), err)
	}
	for i, p := range pkts {
		if out := p.Flags&pkt.Outgoing != 0; out != (i < 2) {
			t.Errorf("packet %d: outgoing %t", i, out)
		}
	}
}

// TestNullOrder checks that libpcap's filter for BSD loopback matches our
// packets of files in either byte order, like its own packets.
func TestNullOrder(t *testing.T) {
	bpf, err := pcap.NewBPF(layers.LinkTypeNull, 65535, "ip")
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range []func() *writer{le, be} {
		w := order()
		loop := w.body(func(b *writer) { b.u32(2); b.Write(append([]byte{0x45}, make([]byte, 39)...)) })
		w.pcapHead(0xa1b2c3d4, 2, 4, 100, dltNull).record(1, 2, loop)
		ng := order().section()
		ng.iface(dltNull, 100).enhanced(0, 1, uint32(len(loop)), loop)
		for _, file := range [][]byte{w.Bytes(), ng.Bytes()} {
			pkts, _, err := readBytes(t, file)
			if err != nil || len(pkts) != 1 {
				t.Fatalf("%d packets, %v", len(pkts), err)
			}
			n := len(pkts[0].Link)
			if !bpf.Matches(gopacket.CaptureInfo{CaptureLength: n, Length: n}, pkts[0].Link) {
				t.Errorf("%v: no match for % x", w.order, pkts[0].Link[:4])
			}
		}
	}
}

// TestMaxSnap checks that packets longer than the contract's limit are
// truncated to it, in link types that allow them.
func TestMaxSnap(t *testing.T) {
	data := frame(1<<20, 1)
	for _, w := range []*writer{
		le().pcapHead(0xa1b2c3d4, 2, 4, 1<<30, dltDBus).record(1, 2, data),
		le().section().iface(dltDBus, 1<<30).enhanced(0, 1, 1<<20, data),
	} {
		pkts, _, err := readBytes(t, w.Bytes())
		if err != nil || len(pkts) != 1 {
			t.Fatalf("%d packets, %v", len(pkts), err)
		}
		if p := pkts[0]; len(p.Link) != drivers.MaxSnap || p.Wire != 1<<20 || p.Flags != pkt.Truncated {
			t.Errorf("%d of %d bytes, flags %#x", len(p.Link), p.Wire, p.Flags)
		}
	}
}

func TestTooManyInterfaces(t *testing.T) {
	w := le().section()
	for range maxInterfaces {
		w.iface(1, 100)
	}
	w.enhanced(maxInterfaces-1, 1, 60, frame(60, 1)).iface(1, 100)
	pkts, _, err := readBytes(t, w.Bytes())
	if len(pkts) != 1 || pkts[0].IfIndex != maxInterfaces-1 || err == nil {
		t.Errorf("%d packets, %v", len(pkts), err)
	}
}

// TestSkippedRecords counts blocks that neither carry nor describe packets: before, between and
// behind packets, and larger than the window.
func TestSkippedRecords(t *testing.T) {
	w := le().section().block(10, nil).iface(1, 100).block(5, make([]byte, 8)).enhanced(0, 1, 60, frame(60, 1))
	w.block(0x0bad, make([]byte, 3*windowSize)).iface(1, 100).enhanced(1, 2, 60, frame(60, 2)).section().block(4, nil)
	f, err := os.Open(save(t, w.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	var c collector
	if err := dev.Run(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if st := dev.Stats(); st.Recv != 2 || st.SkippedRecords != 4 || st.Errors != 0 {
		t.Errorf("stats %+v, want 2 packets and 4 skipped records", st)
	}
}
