package mapi_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"gomapi/mapi/mapitest"
)

// live is the device "net0" of the daemon under test.
var live *mapitest.Device

// TestMain runs the tests with a daemon, in a directory with a capture file
// trace.pcap of three TCP and two UDP packets.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "mapi")
	must(err)
	defer os.RemoveAll(dir)
	must(os.Chdir(dir))
	writeTrace("trace.pcap")
	d, err := mapitest.New(
		mapitest.DeviceSpec{Name: "net0", Alias: "uplink", Description: "to the world", LinkSpeed: 1000},
		mapitest.DeviceSpec{Name: "spare"},
		mapitest.DeviceSpec{Name: "eth:0"})
	must(err)
	live = d.Device("net0")
	os.Setenv("MAPI_SOCKET", d.Socket())
	defer func() {
		if err := d.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// writeTrace writes three TCP packets to port 80 and two UDP packets to port 53.
func writeTrace(path string) {
	f, err := os.Create(path)
	must(err)
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

// send sends packets to net0 with the current time.
func send(pkts ...[]byte) {
	var batch []mapitest.Packet
	for _, p := range pkts {
		batch = append(batch, mapitest.Packet{Data: p})
	}
	must(live.Send(batch...))
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprint("unexpected: ", err))
	}
}
