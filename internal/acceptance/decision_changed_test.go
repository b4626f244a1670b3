package acceptance

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/testdata"
	"gomapi/mapi"
)

// invert is a function that changes every byte of a packet; no real library has
// one.
type invert struct{}

func (invert) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		inverted(p.Link)
	}
	return in
}

func inverted(data []byte) {
	for i := range data {
		data[i] ^= 0xff
	}
}

// startChanging runs a daemon for files with a library that has CHANGE.
func startChanging(t *testing.T) *mapi.Client {
	t.Helper()
	var reg drivers.Registry
	reg.AddFormat(drivers.FormatPCAP, offline.Driver{})
	changing := flib.Library{Name: "changing", Functions: []flib.Def{{
		Name: change, Modifies: true,
		New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) { return invert{}, nil },
	}}}
	conf := config.Default()
	conf.Auto = false
	conf.Libs = append(conf.Libs, changing.Name)
	log := logrus.New()
	log.SetOutput(t.Output())
	log.SetLevel(logrus.WarnLevel)
	ctx, cancel := context.WithCancel(context.Background())
	socket := filepath.Join(t.TempDir(), "s")
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- daemon.Run(ctx, daemon.Options{
			Socket: socket, Config: conf, Drivers: &reg, Functions: flib.NewRegistry(stdflib.Library(), changing),
			Compiler: libpcap.InProcess{}, Log: log, Version: "test", Ready: func() { close(ready) },
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	client := &mapi.Client{Socket: socket}
	t.Cleanup(func() {
		client.Close()
		cancel()
		must(t, <-done)
	})
	return client
}

// TestChangedPackets has flows with many common parts, some of which change
// packets before they filter and search again. Each flow sees only its own
// changes.
func TestChangedPackets(t *testing.T) {
	seed := newSeed(t)
	client := startChanging(t)
	listed := manualFilters(t)
	for _, name := range []string{"mapi-tracefile.pcap", "nd-http-ipv6.pcap", "zk-mixed-vlan-mpls.pcap", "nd-gnutella.pcap"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testdata.Dir(t), name)
			tr, back := traceOf(t, path), traceOf(t, path)
			for _, p := range back.packets {
				inverted(p.Data)
			}
			d := newDrawer(rand.New(rand.NewPCG(seed, 1)), tr, listed)
			d.changed = newDrawer(rand.New(rand.NewPCG(seed, 2)), back, listed)
			d.changed.changed = d // two changes cancel out
			chains := d.chains(150)
			runFile(t, client, path, tr, chains, d.IntN(2) == 0)
		})
	}
}
