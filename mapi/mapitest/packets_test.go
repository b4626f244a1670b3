package mapitest_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// buffered creates a connected flow with a packet buffer.
func buffered(t *testing.T, c *mapi.Client, device string) *mapi.Function {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	must(t, err)
	packets, err := f.Apply(t.Context(), "TO_BUFFER")
	must(t, err)
	must(t, f.Connect(t.Context()))
	return packets
}

func TestPacketsComeAsTheyWereSent(t *testing.T) {
	d := mapitest.Start(t)
	packets := buffered(t, d.Client(), "eth0")
	later := time.Now().Add(time.Hour).Round(time.Microsecond)
	sent := []mapitest.Packet{
		{Data: tcp(80)},
		{Data: tcp(22), Time: later},
		{Data: tcp(23)[:20], Wire: 1500, Time: later.Add(time.Microsecond)},
		{Data: tcp(24), Time: later.Add(-24 * time.Hour)}, // before Connect
		{Data: []byte{}, Time: later.Add(time.Second)},
	}
	before := time.Now()
	must(t, d.Device("eth0").Send(sent...))
	sent = append(sent[:3], sent[4])
	for i, want := range sent {
		p, err := packets.Next(t.Context())
		must(t, err)
		if !bytes.Equal(p.Data, want.Data) || int(p.Wlen) != max(want.Wire, len(want.Data)) {
			t.Errorf("packet %d is %+v, want %+v", i, p, want)
		}
		// Timestamps of the API have a resolution of 2^-32 s.
		if off := p.Time().Sub(want.Time).Abs(); i > 0 && off > time.Nanosecond {
			t.Errorf("packet %d is %v off its time", i, off)
		}
		if i == 0 && (p.Time().Before(before) || p.Time().After(time.Now())) {
			t.Errorf("packet without a time has %v, sent at %v", p.Time(), before)
		}
	}
	if p, err := packets.TryNext(); p != nil || err != nil {
		t.Errorf("one more packet: %+v, %v", p, err)
	}
}

func TestImpossiblePackets(t *testing.T) {
	d := mapitest.Start(t)
	_, packets := counting(t, d.Client(), "eth0")
	good := mapitest.Packet{Data: tcp(80)}
	for what, p := range map[string]mapitest.Packet{
		"longer than its wire": {Data: tcp(80), Wire: 59},
		"negative wire":        {Wire: -1},
		"endless wire":         {Wire: math.MaxUint32 + 1},
		"too much data":        {Data: make([]byte, 262145)},
		"before 1970":          {Time: time.Unix(-1, 0)},
		"after 2106":           {Time: time.Unix(1<<32, 0)},
	} {
		wants(t, what, d.Device("eth0").Send(good, p), mapi.ErrInvalidArgument1)
		wants(t, what, d.Device("eth0").SendAll(func(yield func(mapitest.Packet) bool) { yield(p) }), mapi.ErrInvalidArgument1)
	}
	counted(t, "nothing was sent", packets, 0)
	wants(t, "negative loss", d.Device("eth0").Lose(-1), mapi.ErrInvalidArgument1)
	must(t, d.Device("eth0").Send())
	must(t, d.Device("eth0").Send(mapitest.Packet{Data: make([]byte, 262144), Wire: math.MaxUint32}))
	counted(t, "the largest", packets, 1)
}

// TestIteratorsKeepTheirMemory uses one buffer for all packets.
func TestIteratorsKeepTheirMemory(t *testing.T) {
	const n = 5000
	d := mapitest.Start(t)
	packets := buffered(t, d.Client(), "eth0")
	frame := tcp(0)
	must(t, d.Device("eth0").SendAll(func(yield func(mapitest.Packet) bool) {
		for i := range n {
			frame[36], frame[37] = byte(i>>8), byte(i)
			if !yield(mapitest.Packet{Data: frame[:40+i%20]}) {
				return
			}
		}
	}))
	for i := range n {
		p, err := packets.Next(t.Context())
		must(t, err)
		if got := int(p.Data[36])<<8 | int(p.Data[37]); got != i || len(p.Data) != 40+i%20 {
			t.Fatalf("packet %d has number %d and %d bytes", i, got, len(p.Data))
		}
	}
}

// TestSendAllStops has an endless iterator.
func TestSendAllStops(t *testing.T) {
	d := mapitest.Start(t)
	_, packets := counting(t, d.Client(), "eth0")
	n := 0
	err := d.Device("eth0").SendAll(func(yield func(mapitest.Packet) bool) {
		for yield(mapitest.Packet{Data: tcp(80)}) {
			if n++; n == 1000 {
				d.Device("eth0").Remove()
			}
		}
	})
	wants(t, "removed on the way", err, mapi.ErrPcapOpen)
	counted(t, "before", packets, 768) // three batches
}

// TestSendAllNamesTheImpossible checks that the packets before an invalid one
// are sent.
func TestSendAllNamesTheImpossible(t *testing.T) {
	d := mapitest.Start(t)
	_, packets := counting(t, d.Client(), "eth0")
	list := slices.Repeat([]mapitest.Packet{{Data: tcp(80)}}, 300)
	list[280].Wire = -1
	err := d.Device("eth0").SendAll(slices.Values(list))
	wants(t, "SendAll", err, mapi.ErrInvalidArgument1)
	if !strings.Contains(err.Error(), "device eth0: packet 281 has -1 bytes on the wire") {
		t.Error(err)
	}
	counted(t, "before it", packets, 280)
	if err := d.Device("eth0").Send(list[279:]...); !strings.Contains(err.Error(), "packet 2 has") {
		t.Error(err)
	}
}

// TestPlay plays real captures and counts with filters whose matches other
// tools have counted.
func TestPlay(t *testing.T) {
	dir := testdata.Dir(t)
	for _, file := range []string{"mapi-tracefile.pcap", "zk-mixed-vlan-mpls.pcap"} {
		t.Run(file, func(t *testing.T) {
			d := mapitest.Start(t)
			c := d.Client()
			matches := make(map[string]*mapi.Function)
			for _, row := range testdata.Expected(t) {
				if row.File != file || row.Kind != "filter-packets" {
					continue
				}
				if _, err := strconv.Atoi(row.Value); err != nil {
					continue // the tools differ
				}
				f, err := c.CreateFlow(t.Context(), "eth0")
				must(t, err)
				_, err = f.Apply(t.Context(), "BPF_FILTER", row.Key)
				must(t, err)
				matches[row.Key+"\t"+row.Value], err = f.Apply(t.Context(), "PKT_COUNTER")
				must(t, err)
				must(t, f.Connect(t.Context()))
			}
			_, packets := counting(t, c, "eth0")
			for round := uint64(1); round <= 2; round++ {
				n, err := d.Device("eth0").Play(filepath.Join(dir, file))
				must(t, err)
				counted(t, "all", packets, round*uint64(n))
				compare(t, matches, round)
			}
		})
	}
}

func compare(t *testing.T, matches map[string]*mapi.Function, round uint64) {
	t.Helper()
	if len(matches) == 0 {
		t.Error("no filters were counted")
	}
	for key, fn := range matches {
		expr, value, _ := bytes.Cut([]byte(key), []byte("\t"))
		want, err := strconv.ParseUint(string(value), 10, 64)
		must(t, err)
		counted(t, string(expr), fn, round*want)
	}
}

func TestPlayKeepsDistances(t *testing.T) {
	file := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	d := mapitest.Start(t)
	c := d.Client()
	live := buffered(t, c, "eth0")
	f, err := c.CreateOfflineFlow(t.Context(), file, mapi.FormatPCAP)
	must(t, err)
	read, err := f.Apply(t.Context(), "TO_BUFFER")
	must(t, err)
	must(t, f.Connect(t.Context()))
	n, err := d.Device("eth0").Play(file)
	must(t, err)
	var shift time.Duration
	for i := range n {
		a, err := read.Next(t.Context())
		must(t, err)
		b, err := live.Next(t.Context())
		must(t, err)
		if i == 0 {
			shift = b.Time().Sub(a.Time())
		}
		if off := (b.Time().Sub(a.Time()) - shift).Abs(); off > 2*time.Nanosecond || !bytes.Equal(a.Data, b.Data) || a.Wlen != b.Wlen {
			t.Fatalf("packet %d is another, or %v off its time", i, off)
		}
	}
}

func TestPlayRefuses(t *testing.T) {
	d := mapitest.Start(t, mapitest.DeviceSpec{Name: "eth0"}, mapitest.DeviceSpec{Name: "raw", LinkType: 12})
	counting(t, d.Client(), "eth0")
	_, err := d.Device("eth0").Play("no/such/file")
	wants(t, "missing file", err, mapi.ErrFile)
	text := filepath.Join(t.TempDir(), "text")
	must(t, os.WriteFile(text, []byte("no capture at all, but text"), 0o600))
	_, err = d.Device("eth0").Play(text)
	wants(t, "text", err, mapi.ErrFile)

	file := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	_, err = d.Device("raw").Play(file)
	wants(t, "link type", err, mapi.ErrFile)
	b, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(text, b[:len(b)-1], 0o600))
	n, err := d.Device("eth0").Play(text)
	wants(t, "cut file", err, mapi.ErrFile)
	must(t, d.Device("eth0").Remove())
	none, err := d.Device("eth0").Play(file)
	wants(t, "removed device", err, mapi.ErrPcapOpen)
	if n == 0 || none != 0 {
		t.Errorf("%d packets of a cut file, %d of a removed device", n, none)
	}
}

// BenchmarkSend measures the total cost of a simulated packet, 256 at a time,
// including the counter.
func BenchmarkSend(b *testing.B) {
	d := mapitest.Start(b)
	f, err := d.Client().CreateFlow(b.Context(), "eth0")
	must(b, err)
	_, err = f.Apply(b.Context(), "PKT_COUNTER")
	must(b, err)
	must(b, f.Connect(b.Context()))
	frame := tcp(80)
	b.ResetTimer()
	must(b, d.Device("eth0").SendAll(func(yield func(mapitest.Packet) bool) {
		for range b.N {
			if !yield(mapitest.Packet{Data: frame}) {
				return
			}
		}
	}))
}
