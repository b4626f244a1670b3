package mapi_test

import (
	"context"
	"encoding/binary"
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
	"gomapi/drivers/fake"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
)

// live is the device "net0" of the daemon that the tests talk to.
var live *fake.Source

// TestMain runs the tests against a daemon of their own, in a folder with a
// capture file trace.pcap of three TCP and two UDP packets.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mapi")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chdir(dir); err != nil {
		panic(err)
	}
	writeTrace("trace.pcap")
	socket := filepath.Join(dir, "mapid.sock")
	os.Setenv("MAPI_SOCKET", socket)
	stop := serve(socket)
	defer stop()
	return m.Run()
}

// serve runs a daemon on socket until stop is called.
func serve(socket string) (stop func()) {
	drv := &fake.Driver{}
	live = drv.Add("net0", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 65535})
	drv.Add("spare", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 65535})
	drv.Add("eth:0", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 65535})
	var reg drivers.Registry
	reg.Add("mapinicdrv", drv)
	reg.AddFormat(drivers.FormatPCAP, offline.Driver{})
	log := logrus.New()
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- daemon.Run(ctx, daemon.Options{
			Socket: socket, Drivers: &reg, Functions: flib.NewRegistry(stdflib.Library()),
			Compiler: libpcap.InProcess{}, Log: log, Ready: func() { close(ready) }, Version: "test",
			Config: &config.Config{Devices: []config.Device{
				{Name: "net0", Driver: "mapinicdrv", Alias: "uplink", Description: "to the world", LinkSpeed: 1000},
				{Name: "spare", Driver: "mapinicdrv", Alias: config.DefaultAlias, Description: config.DefaultDescription},
				{Name: "eth:0", Driver: "mapinicdrv", Alias: config.DefaultAlias, Description: config.DefaultDescription},
			}},
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		panic(err)
	}
	return func() { cancel(); <-done }
}

// writeTrace writes three TCP packets to port 80 and two UDP packets to port 53.
func writeTrace(path string) {
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	w.WriteFileHeader(65535, layers.LinkTypeEthernet)
	for i := range 5 {
		p := packet(i)
		w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(p), Length: len(p)}, p)
	}
}

func packet(i int) []byte {
	b := make([]byte, 60+10*i)
	b[12], b[14] = 0x08, 0x45
	binary.BigEndian.PutUint16(b[16:], uint16(len(b)-14))
	proto, port := byte(6), uint16(80)
	if i >= 3 {
		proto, port = 17, 53
	}
	b[23] = proto
	binary.BigEndian.PutUint16(b[36:], port)
	return b
}

// send hands packets to net0, stamped now.
func send(pkts ...[]byte) {
	var batch []drivers.Packet
	for _, p := range pkts {
		now := time.Now()
		batch = append(batch, drivers.Packet{
			TS: uint64(now.Unix())<<32 | uint64(now.Nanosecond())<<32/1e9, Link: p, Wire: uint32(len(p)), LinkType: 1,
		})
	}
	live.Send(batch...)
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprint("unexpected: ", err))
	}
}
