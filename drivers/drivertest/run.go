package drivertest

import (
	"context"
	"testing"
	"time"

	"gomapi/drivers"
)

// A run is a running device.
type run struct {
	dev    drivers.Device
	cancel context.CancelFunc
	ended  chan error
}

func open(t *testing.T, w World) drivers.Device {
	t.Helper()
	dev, err := w.Open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev
}

func start(dev drivers.Device, s drivers.Sink) *run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{dev: dev, cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- dev.Run(ctx, s) }()
	return r
}

// end waits for the end of Run, which must return no error.
func (r *run) end(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Run did not return")
	}
}

// stop ends the context and waits for the end of Run.
func (r *run) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	r.end(t)
}
