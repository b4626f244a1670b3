package acceptance

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
	"gomapi/mapi"
)

// startContracts runs a daemon in this process that has the functions of flibtest
// and reads files in batches of at most size packets.
func startContracts(t *testing.T, size int) *mapi.Client {
	t.Helper()
	var reg drivers.Registry
	reg.AddFormat(drivers.FormatPCAP, chopped{size: size})
	c := config.Default()
	c.Auto = false
	log := logrus.New()
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	o := daemon.Options{
		Socket: filepath.Join(t.TempDir(), "mapid.sock"), Config: c, Drivers: &reg,
		Functions: flib.NewRegistry(stdflib.Library(), flibtest.Library()),
		Compiler:  libpcap.InProcess{}, Log: log, Version: "test", Ready: func() { close(ready) },
	}
	go func() { done <- daemon.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
	})
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	client := &mapi.Client{Socket: o.Socket}
	t.Cleanup(func() { client.Close() })
	return client
}

// chopped is the driver of capture files with smaller batches.
type chopped struct {
	offline.Driver
	size int
}

func (c chopped) OpenFile(ctx context.Context, f *os.File) (drivers.Device, error) {
	d, err := c.Driver.OpenFile(ctx, f)
	if err != nil {
		return nil, err
	}
	return choppedFile{d, c.size}, nil
}

type choppedFile struct {
	drivers.Device
	size int
}

func (f choppedFile) Run(ctx context.Context, s drivers.Sink) error {
	return f.Device.Run(ctx, choppedSink{s, f.size})
}

type choppedSink struct {
	drivers.Sink
	size int
}

func (s choppedSink) Batch(pkts []drivers.Packet) {
	for part := range slices.Chunk(pkts, s.size) {
		s.Sink.Batch(part)
	}
}
