package mapitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
	"gomapi/mapi"
)

// patience is the maximum time for the daemon to stop. It takes milliseconds.
const patience = 30 * time.Second

// maxSocket is the maximum length of a socket path in bytes (unix(7)).
const maxSocket = 107

// A Daemon is a running mapid. Any goroutine may use it.
type Daemon struct {
	dir     string // private directory of the socket
	devices map[string]*Device
	control *mapi.Client // for queries about the daemon
	cancel  context.CancelFunc
	done    chan error // error that ended the daemon

	once sync.Once
	err  error // of Close

	mu      sync.Mutex
	clients []*mapi.Client
	faults  []error // books of devices that have ended
}

// Start runs a daemon until the end of the test, with the given devices or, by
// default, with one Ethernet device eth0. The test fails if the daemon does not
// start, and if Close reports an error at the end. The daemon's warnings go to
// the output of the test.
func Start(t testing.TB, devices ...DeviceSpec) *Daemon {
	t.Helper()
	d, err := run(t.Output(), devices)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// New is Start without a test. The caller must close the daemon.
func New(devices ...DeviceSpec) (*Daemon, error) { return run(io.Discard, devices) }

func run(log io.Writer, specs []DeviceSpec) (*Daemon, error) {
	if len(specs) == 0 {
		specs = []DeviceSpec{{Name: "eth0"}}
	}
	if err := check(specs); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mapitest")
	if err != nil {
		return nil, fmt.Errorf("directory for the socket: %w", err)
	}
	d := &Daemon{dir: dir, devices: make(map[string]*Device), done: make(chan error, 1)}
	d.control = &mapi.Client{Socket: d.Socket()}
	if len(d.Socket()) > maxSocket {
		os.Remove(dir)
		return nil, fmt.Errorf("the socket's path %s is longer than %d bytes: set TMPDIR to a shorter one", d.Socket(), maxSocket)
	}
	if err := d.start(d.options(log, specs)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return d, nil
}

// options are those of a mapid with all built-in parts and these devices.
func (d *Daemon) options(log io.Writer, specs []DeviceSpec) daemon.Options {
	var reg drivers.Registry
	reg.Add(liveDriver, d.addDevices(specs))
	reg.AddFormat(drivers.FormatPCAP, offline.Driver{})
	logger := logrus.New()
	logger.SetOutput(log)
	logger.SetLevel(logrus.WarnLevel)
	logger.SetFormatter(&logrus.TextFormatter{DisableTimestamp: true})
	return daemon.Options{
		Socket: d.Socket(), Config: configuration(specs), Drivers: &reg, Functions: flib.NewRegistry(stdflib.Library()),
		Compiler: libpcap.InProcess{}, Log: logger, Version: "mapitest",
	}
}

// start waits until clients can connect. Close waits for the goroutine.
func (d *Daemon) start(o daemon.Options) error {
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	ready := make(chan struct{})
	o.Ready = func() { close(ready) }
	go func() { d.done <- daemon.Run(ctx, o) }()
	select {
	case <-ready:
		return nil
	case err := <-d.done:
		cancel()
		return fmt.Errorf("mapid did not start: %w", err)
	}
}

// Socket is the path of the daemon's socket, for Socket of a mapi.Client or for
// MAPI_SOCKET.
func (d *Daemon) Socket() string { return filepath.Join(d.dir, "mapid.sock") }

// Client returns a new client of the daemon, which ends with it.
func (d *Daemon) Client() *mapi.Client {
	c := &mapi.Client{Socket: d.Socket()}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients = append(d.clients, c)
	return c
}

// Close closes all connections, stops the daemon and waits until all of it has
// ended. It reports books that do not balance, which is a bug of the daemon and
// never of a program. It may be called more than once.
func (d *Daemon) Close() error {
	d.once.Do(func() {
		d.err = errors.Join(d.audit(), d.stop(), os.RemoveAll(d.dir))
	})
	return d.err
}

func (d *Daemon) stop() error {
	d.mu.Lock()
	clients := append(d.clients, d.control)
	d.mu.Unlock()
	for _, c := range clients {
		c.Close()
	}
	d.cancel()
	select {
	case err := <-d.done:
		return err
	case <-time.After(patience):
		return fmt.Errorf("mapid did not stop within %v", patience)
	}
}
