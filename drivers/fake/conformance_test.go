package fake

import (
	"bytes"
	"context"
	"testing"

	"gomapi/drivers"
	"gomapi/drivers/drivertest"
	"gomapi/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestConformance(t *testing.T) {
	drivertest.Run(t, func(_ *testing.T, f func(drivertest.World)) {
		var d Driver
		s := d.Add("fake", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 100})
		next := 0
		f(drivertest.World{
			Open: func() (drivers.Device, error) {
				return d.Open(context.Background(), drivers.Config{Device: "fake"})
			},
			Feed: func(ctx context.Context, n int) {
				for range n {
					if ctx.Err() != nil || s.Send(packet(next)) != nil {
						return
					}
					next++
				}
			},
			Is: func(i int, p drivers.Packet) bool {
				want := packet(i)
				return bytes.Equal(p.Link, want.Link) && p.TS == want.TS && p.Wire == want.Wire
			},
		})
	})
}

func packet(i int) drivers.Packet {
	link := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 30)
	return drivers.Packet{TS: uint64(i + 1), Link: link, Wire: uint32(len(link)), LinkType: 1}
}
