package mapitest_test

import (
	"context"
	"fmt"
	"log"

	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// The typical steps of a test. With a testing.TB, Start replaces New and Close.
func Example() {
	d, err := mapitest.New() // with one device, eth0
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	web, err := countWeb(d.Client(), "eth0") // the code under test
	if err != nil {
		log.Fatal(err)
	}
	err = d.Device("eth0").Send(mapitest.Packet{Data: tcp(80)}, mapitest.Packet{Data: tcp(22)}, mapitest.Packet{Data: tcp(80)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(web.Uint64())
	// Output: 2 <nil>
}

// countWeb stands for the program under test.
func countWeb(c *mapi.Client, device string) (*mapi.Function, error) {
	ctx := context.Background()
	flow, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	if _, err := flow.Apply(ctx, "BPF_FILTER", "tcp dst port 80"); err != nil {
		return nil, err
	}
	packets, err := flow.Apply(ctx, "PKT_COUNTER")
	if err != nil {
		return nil, err
	}
	return packets, flow.Connect(ctx)
}

// An iterator sends any number of packets at full speed.
func ExampleDevice_SendAll() {
	d, err := mapitest.New(mapitest.DeviceSpec{Name: "dmz", Alias: "uplink"})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	web, err := countWeb(d.Client(), "uplink")
	if err != nil {
		log.Fatal(err)
	}
	scan := func(yield func(mapitest.Packet) bool) { // all ports, once each
		for port := range 1 << 16 {
			if !yield(mapitest.Packet{Data: tcp(uint16(port))}) {
				return
			}
		}
	}
	if err := d.Device("dmz").SendAll(scan); err != nil {
		log.Fatal(err)
	}
	fmt.Println(web.Uint64())
	// Output: 1 <nil>
}

// A program must cope with losses, and with an interface that is removed.
func ExampleDevice_Remove() {
	d, err := mapitest.New()
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	client, eth0 := d.Client(), d.Device("eth0")
	web, err := countWeb(client, "eth0")
	if err != nil {
		log.Fatal(err)
	}
	eth0.Send(mapitest.Packet{Data: tcp(80)})
	eth0.Remove()
	_, err = client.CreateFlow(context.Background(), "eth0")
	fmt.Println(err)
	eth0.Restore()
	eth0.Lose(3)
	eth0.Send(mapitest.Packet{Data: tcp(80)})

	stats, err := client.Stats(context.Background(), "eth0")
	fmt.Println(stats.Recv, "received,", stats.Drop, "lost,", stats.Reopens, "reopened;", err)
	fmt.Println(web.Uint64())
	// Output:
	// create flow on "eth0": device eth0: the interface is not there; capturing goes on when it is back (error 1026)
	// 5 received, 3 lost, 1 reopened; <nil>
	// 2 <nil>
}

// tcp returns an empty segment to a port, starting with the Ethernet header.
func tcp(port uint16) []byte {
	frame := make([]byte, 60)
	copy(frame[12:], []byte{0x08, 0x00, 0x45, 0, 0, 40}) // IPv4 of 40 bytes
	frame[22], frame[23] = 64, 6
	frame[36], frame[37], frame[46] = byte(port>>8), byte(port), 0x50
	return frame
}
