package nic

import (
	"context"
	"maps"
	"testing"

	"gomapi/drivers"
	"gomapi/drivers/drivertest"
	"gomapi/internal/testnet"
)

func TestConformance(t *testing.T) {
	for _, latency := range latencies {
		params := maps.Clone(tinyRing)
		maps.Copy(params, latency)
		t.Run(latency["latency"], func(t *testing.T) {
			drivertest.Run(t, func(t *testing.T, f func(drivertest.World)) {
				testnet.Run(t, func(ns *testnet.NS) { f(veth(t, ns, params)) })
			})
		})
	}
}

// veth is a World with a device on one end of the pair. Packets are sent from
// the other end.
func veth(t *testing.T, ns *testnet.NS, params map[string]string) drivertest.World {
	sender := ns.Sender(testnet.A)
	next := uint64(0)
	return drivertest.World{
		Queue: 1000,
		Open: func() (drivers.Device, error) {
			return Driver{}.Open(context.Background(), drivers.Config{Device: testnet.B, Params: params})
		},
		Feed: func(ctx context.Context, n int) {
			for i := 0; i < n && ctx.Err() == nil; i++ {
				if err := sender.Send(testnet.UDP(next, 100)); err != nil {
					t.Errorf("feed: %v", err)
					return
				}
				next++
			}
		},
		Is: func(i int, p drivers.Packet) bool { return string(p.Link) == string(testnet.UDP(uint64(i), 100)) },
	}
}
