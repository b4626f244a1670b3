package mapi_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// flood fills records without end: as many per packet as it is told, of any size.
type flood struct {
	*flib.Records
	count int
	data  []byte
}

func (f *flood) Process(in []*flib.Packet) []*flib.Packet {
	for range in {
		for range f.count {
			f.Write(flib.Record{Data: f.data})
		}
	}
	f.Flush()
	return in
}

// floods are hostile functions.
func floods() (defs []flib.Def) {
	for _, d := range []struct {
		name        string
		count, size int
	}{{"FLOOD", 100_000, 100}, {"GIANT", 2, 64 << 20}, {"EMPTY", 1000, 0}} {
		data := make([]byte, d.size)
		defs = append(defs, flib.Def{Name: d.name, New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
			out, err := env.NewRecords(1 << 20)
			return &flood{out, d.count, data}, err
		}})
	}
	return defs
}

// recording runs a daemon with functions that make records, and a device net0.
func recording(t *testing.T) (*mapi.Client, *fake.Source) {
	t.Helper()
	driver := &fake.Driver{}
	source := driver.Add("net0", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 65535, HostClock: true})
	var reg drivers.Registry
	reg.Add("fake", driver)
	reg.AddFormat(drivers.FormatPCAP, offline.Driver{})
	c := config.Default()
	c.Auto = false
	c.Devices = append(c.Devices, config.Device{Name: "net0", Driver: "fake"})
	log := logrus.New()
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	o := daemon.Options{
		Socket: filepath.Join(t.TempDir(), "mapid.sock"), Config: c, Drivers: &reg,
		Functions: flib.NewRegistry(stdflib.Library(), flib.Library{Name: "recorders", Functions: append(floods(), flibtest.Samples)}),
		Compiler:  libpcap.InProcess{}, Log: log, Version: "test", Ready: func() { close(ready) },
	}
	go func() { done <- daemon.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		must(<-done)
	})
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	client := &mapi.Client{Socket: o.Socket}
	t.Cleanup(func() { client.Close() })
	return client, source
}

// recordedPackets are in the file of recordTrace; their records exceed the buffer.
const recordedPackets = 3000

// recordTrace writes packets of which every fourth is not IPv4.
func recordTrace(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.pcap")
	f, err := os.Create(path)
	must(err)
	defer f.Close()
	w := pcapgo.NewWriter(f)
	must(w.WriteFileHeader(65535, layers.LinkTypeEthernet))
	for i := range recordedPackets {
		p := recordedPacket(i)
		must(w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(p), Length: len(p)}, p))
	}
	return path
}

func recordedPacket(i int) []byte {
	p := packet(i % 5)
	if i%4 == 0 {
		p[12] = 0x86
	}
	binary.BigEndian.PutUint32(p[40:], uint32(i))
	return p
}

// isRecord checks the record of packet i, whose time is i seconds.
func isRecord(t *testing.T, i int, stamp uint64, kind uint16, data []byte) {
	t.Helper()
	p := recordedPacket(i)
	wantKind, want := uint16(flibtest.KindIPv4), p[14:]
	if i%4 == 0 {
		wantKind, want = flibtest.KindOther, binary.NativeEndian.AppendUint32(nil, uint32(len(p)))
	}
	if stamp != uint64(i)<<32 || kind != wantKind || !slices.Equal(data, want) {
		t.Fatalf("record %d has time %#x, kind %d, data %x; want kind %d, %x", i, stamp, kind, data, wantKind, want)
	}
}

// sampling connects a flow with SAMPLES on a file or net0.
func sampling(t *testing.T, c *mapi.Client, path, name string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	var f *mapi.Flow
	var err error
	if path == "" {
		f, err = c.CreateFlow(t.Context(), "net0")
	} else {
		f, err = c.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	}
	must(err)
	fn, err := f.Apply(t.Context(), name)
	must(err)
	if fn.Kind() != mapi.KindRecords {
		t.Errorf("%s has %v", name, fn.Kind())
	}
	must(f.Connect(t.Context()))
	return f, fn
}

func TestRecordsOfAFileOneByOne(t *testing.T) {
	c, _ := recording(t)
	f, fn := sampling(t, c, recordTrace(t), "SAMPLES")
	n := 0
	for r, err := range fn.Results(t.Context()) {
		must(err)
		isRecord(t, n, r.Stamp, r.Kind, r.Res)
		n++
	}
	lost, err := fn.Lost()
	if n != recordedPackets || lost != 0 || err != nil {
		t.Errorf("%d records, %d lost, %v", n, lost, err)
	}
	if _, err := fn.ReadNext(t.Context()); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	if _, err := fn.Read(); err != io.EOF {
		t.Errorf("a table after the end: %v", err)
	}
	_, err = fn.Next(t.Context())
	wantCode(t, "packet of SAMPLES", err, mapi.ErrNoResult)
	recordBooks(t, c, f, recordedPackets, 0, 0)
	must(f.Close(t.Context()))
}

// TestRecordsAsTables reads all that are there, again and again, until the end of the file.
func TestRecordsAsTables(t *testing.T) {
	c, _ := recording(t)
	_, fn := sampling(t, c, recordTrace(t), "SAMPLES")
	n := 0
	for {
		r, err := fn.Read()
		if err == io.EOF {
			break
		}
		must(err)
		table, ok := result.ParseRecords(r.Res)
		if !ok || table.Lost != 0 {
			t.Fatalf("table of %d bytes: %v, %d lost", len(r.Res), ok, table.Lost)
		}
		for _, rec := range table.List {
			isRecord(t, n, rec.TS, rec.Kind, rec.Data)
			n++
		}
	}
	if n != recordedPackets {
		t.Errorf("%d records", n)
	}
}

// recordBooks checks the notes of function 1 and that the books balance. Any count of lost
// records is right if it completes all.
func recordBooks(t *testing.T, c *mapi.Client, f *mapi.Flow, all, lost, tooLarge uint64) {
	t.Helper()
	list, err := c.FlowFunctions(t.Context(), f.FD())
	must(err)
	notes := make(map[string]uint64)
	for _, l := range list[0].Books.Notes {
		notes[l.Name] = l.Value
	}
	if !list[0].Books.Balances() || notes["records written"]+notes["records lost: buffer full"]+notes["records lost: too large"] != all ||
		notes["records lost: buffer full"] != lost || notes["records lost: too large"] != tooLarge {
		t.Errorf("books %+v, want %d records, %d lost, %d too large", *list[0].Books, all, lost, tooLarge)
	}
}

func TestLostRecordsOfALiveDevice(t *testing.T) {
	c, source := recording(t)
	f, fn := sampling(t, c, "", "SAMPLES")
	const all = 2000
	for i := range all {
		p := recordedPacket(i)
		source.Send(drivers.Packet{TS: pkt.FromTime(time.Now()), Link: p, Wire: uint32(len(p)), LinkType: 1})
	}
	lost, err := fn.Lost()
	if must(err); lost == 0 || lost >= all {
		t.Errorf("%d lost", lost)
	}
	recordBooks(t, c, f, all, lost, 0)
	r, err := fn.Read()
	must(err)
	table, ok := result.ParseRecords(r.Res)
	if !ok || table.Lost != lost || uint64(len(table.List))+lost != all {
		t.Errorf("%v: %d records, %d lost of %d", ok, len(table.List), table.Lost, all)
	}
	r, err = fn.Read() // reading has cleared it
	must(err)
	if table, ok := result.ParseRecords(r.Res); !ok || len(table.List) != 0 || table.Lost != lost {
		t.Errorf("%v: %+v", ok, table)
	}
	if _, more, err := fn.TryReadNext(); more || err != nil {
		t.Errorf("%v, %v", more, err)
	}
	must(source.End(nil))
	must(f.Wait(t.Context()))
	if _, err := fn.Read(); err != io.EOF {
		t.Errorf("a table after the end of the device: %v", err)
	}
	if _, err := fn.ReadNext(t.Context()); err != io.EOF {
		t.Errorf("a record after the end of the device: %v", err)
	}
	if n, err := fn.Lost(); n != lost || err != nil {
		t.Errorf("%d lost, %v, want %d", n, err, lost)
	}
}

// TestRecordsInLockstep reads the records of a live device whose flow goes packet by packet.
func TestRecordsInLockstep(t *testing.T) {
	c, source := recording(t)
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	counter, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	fn, err := f.Apply(t.Context(), "SAMPLES")
	must(err)
	_, err = f.Apply(t.Context(), "THRESHOLD", mapi.ThresholdUint64, counter, uint64(1), mapi.BoundaryAbove, 0)
	must(err)
	must(f.Connect(t.Context()))
	start := uint64(time.Now().Unix()) + 60
	for n := 0; n < 1000; n += 100 { // less than the buffer holds
		var batch []drivers.Packet
		for i := n; i < n+100; i++ {
			p := recordedPacket(i)
			batch = append(batch, drivers.Packet{TS: (start + uint64(i)) << 32, Link: p, Wire: uint32(len(p)), LinkType: 1})
		}
		must(source.Send(batch...))
		for i := n; i < n+100; i++ {
			r, err := fn.ReadNext(t.Context())
			must(err)
			isRecord(t, i, r.Stamp-start<<32, r.Kind, r.Res)
		}
	}
	if n, err := counter.Uint64(); n != 1000 || err != nil {
		t.Errorf("%d packets, %v", n, err)
	}
}

// TestFileWaitsForItsReader: a flow whose records nobody reads can be closed, also by the
// end of its client, and the file then goes on for others.
func TestFileWaitsForItsReader(t *testing.T) {
	c, _ := recording(t)
	path := recordTrace(t)
	for _, name := range []string{"SAMPLES", "FLOOD"} {
		f, fn := sampling(t, c, path, name)
		for range 10 {
			_, err := fn.ReadNext(t.Context())
			must(err)
		}
		must(f.Close(t.Context()))
		_, err := fn.ReadNext(t.Context())
		wantCode(t, name+": reading a closed flow", err, mapi.ErrInvalidFlow)
	}
	gone := &mapi.Client{Socket: c.Socket}
	sampling(t, gone, path, "FLOOD")
	must(gone.Close())
	_, fn := sampling(t, c, path, "SAMPLES")
	n := 0
	for _, err := range fn.Results(t.Context()) {
		must(err)
		n++
	}
	if n != recordedPackets {
		t.Errorf("%d records for the next client", n)
	}
}

func TestHostileRecords(t *testing.T) {
	c, source := recording(t)
	send := func() {
		p := recordedPacket(1)
		source.Send(drivers.Packet{TS: pkt.FromTime(time.Now()), Link: p, Wire: uint32(len(p)), LinkType: 1})
	}
	giant, _ := sampling(t, c, "", "GIANT")
	flooded, fn := sampling(t, c, "", "FLOOD")
	empty, none := sampling(t, c, "", "EMPTY")
	send()
	recordBooks(t, c, giant, 2, 0, 2)
	lost, err := fn.Lost()
	must(err)
	recordBooks(t, c, flooded, 100_000, lost, 0)
	recordBooks(t, c, empty, 1000, 0, 0)
	r, err := none.Read()
	must(err)
	if table, ok := result.ParseRecords(r.Res); !ok || len(table.List) != 1000 {
		t.Errorf("%v, %d records without data", ok, len(table.List))
	}
}

// TestFinishedWhenRecordsAreRead: a flow whose reader has begun is finished after the last.
func TestFinishedWhenRecordsAreRead(t *testing.T) {
	c, _ := recording(t)
	path := filepath.Join(t.TempDir(), "small.pcap")
	data, err := os.ReadFile("trace.pcap")
	must(err)
	must(os.WriteFile(path, data, 0o600))
	f, fn := sampling(t, c, path, "SAMPLES")
	for i := range 5 {
		_, err := fn.ReadNext(t.Context())
		must(err)
		info, err := c.FlowInfo(t.Context(), f.FD())
		must(err)
		if i < 4 && info.Status == mapi.FlowFinished {
			t.Errorf("finished after record %d", i)
		}
	}
	testenv.Until(t, "the flow is finished", func() bool {
		info, err := c.FlowInfo(t.Context(), f.FD())
		must(err)
		return info.Status == mapi.FlowFinished
	})
}

func TestRecordsAreReadWithoutAllocating(t *testing.T) {
	c, _ := recording(t)
	_, fn := sampling(t, c, recordTrace(t), "SAMPLES")
	if n := testing.AllocsPerRun(100, func() {
		_, err := fn.ReadNext(context.Background())
		must(err)
	}); n != 0 {
		t.Errorf("%v allocations per record", n)
	}
	r, err := fn.ReadNext(t.Context())
	must(err)
	kept, text := r.Clone(), fmt.Sprint(r.Res)
	for err == nil {
		_, err = fn.ReadNext(t.Context())
	}
	if fmt.Sprint(kept.Res) != text {
		t.Error("a copy has changed")
	}
}
