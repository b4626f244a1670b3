package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/config"
	mapid "gomapi/internal/daemon"
	compiler "gomapi/internal/filter/libpcap"
)

// TestRecords reads more records than their buffer holds in C.
func TestRecords(t *testing.T) {
	const all = 3000
	path, ipv4, size := filepath.Join(t.TempDir(), "records.pcap"), 0, 0
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		p := make([]byte, 60+i%100)
		p[14] = 0x45
		if i%4 == 0 {
			size += 4
		} else {
			p[12] = 8
			ipv4++
			size += len(p) - 14
		}
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(p), Length: len(p)}, p); err != nil {
			t.Fatal(err)
		}
	}
	d := &daemon{t: t, socket: recorder(t)}
	p := start(t, d.command(compile(t, source(t, "records.c"), strict...), path))
	if got, want := p.line(), fmt.Sprintf("%d records, %d of IPv4, %d bytes", all, ipv4, size); got != want {
		t.Errorf("the program prints %q, want %q", got, want)
	}
	p.endsWell()
}

// recorder runs a daemon with SAMPLES in this process and returns its socket.
func recorder(t *testing.T) string {
	t.Helper()
	var reg drivers.Registry
	reg.AddFormat(drivers.FormatPCAP, offline.Driver{})
	c := config.Default()
	c.Auto = false
	log := logrus.New()
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	o := mapid.Options{
		Socket: filepath.Join(t.TempDir(), "mapid.sock"), Config: c, Drivers: &reg,
		Functions: flib.NewRegistry(flib.Library{Name: "recorders", Functions: []flib.Def{flibtest.Samples}}),
		Compiler:  compiler.InProcess{}, Log: log, Version: "test", Ready: func() { close(ready) },
	}
	go func() { done <- mapid.Run(ctx, o) }()
	select {
	case <-ready:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return o.Socket
}
