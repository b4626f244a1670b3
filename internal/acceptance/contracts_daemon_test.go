package acceptance

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/internal/daemon"
	"gomapi/internal/foreign"
	"gomapi/internal/testmapid"
	"gomapi/mapi"
)

// startContracts runs a daemon in this process that has the functions of flibtest
// and reads files in batches of at most size packets.
func startContracts(t *testing.T, size int) *mapi.Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	o := testmapid.Options(filepath.Join(t.TempDir(), "s"), chopped{size: size})
	o.Ready = func() { close(ready) }
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

func (c chopped) OpenFile(ctx context.Context, f *foreign.File) (drivers.Device, error) {
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
