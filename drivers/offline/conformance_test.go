package offline

import (
	"bytes"
	"context"
	"os"
	"testing"

	"gomapi/drivers"
	"gomapi/drivers/drivertest"
	"gomapi/internal/pkt"
)

func TestConformance(t *testing.T) {
	const packets = 20000
	pcap := le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1)
	ng := le().section()
	ng.iface(1, 100)
	for i := range packets {
		data := numbered(i)
		cut := data[:min(len(data), 100)]
		pcap.u32(uint32(i), 0, uint32(len(cut)), uint32(len(data)))
		pcap.Write(cut)
		ng.enhanced(0, uint64(i)*1e6, uint32(len(data)), cut)
	}
	mixed := le().section().iface(1, 100).iface(113, 100)
	for i := range packets {
		data := numbered(i)
		mixed.enhanced(uint32(i%2), uint64(i)*1e6, uint32(len(data)), data[:min(len(data), 100)])
		if i%100 == 0 {
			mixed.block(5, make([]byte, 8)) // statistics
		}
	}
	for name, file := range map[string][]byte{"pcap": pcap.Bytes(), "pcapng": ng.Bytes(), "gzip": zip(t, pcap.Bytes()), "mixed": mixed.Bytes()} {
		path := save(t, file)
		t.Run(name, func(t *testing.T) {
			drivertest.Run(t, func(_ *testing.T, f func(drivertest.World)) {
				f(drivertest.World{
					Packets: packets,
					Open: func() (drivers.Device, error) {
						f, err := os.Open(path)
						if err != nil {
							return nil, err
						}
						return Driver{}.OpenFile(context.Background(), own(f))
					},
					Is: func(i int, p drivers.Packet) bool {
						want := numbered(i)
						return p.TS == pkt.TS(uint64(i), 0) && int(p.Wire) == len(want) && bytes.Equal(p.Link, want[:min(len(want), 100)])
					},
				})
			})
		})
	}
}

// numbered returns a packet of 60 to 159 bytes.
func numbered(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 60+i%100) }
