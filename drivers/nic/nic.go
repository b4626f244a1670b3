// Package nic captures from network interfaces of Linux through a TPACKET_V3
// ring: memory shared with the kernel, cut into blocks that the kernel fills
// with packets and hands over one by one.
//
//	kernel ──fills──> block ──views──> Sink ──back──> kernel
//
// A block is walked packet by packet (block.go) into an array of views that is
// made once; nothing is copied. The bytes belong to the ring and are valid
// until the Sink returns. A VLAN tag that the kernel took off is put back in
// place (vlan.go), so that frames look as they did on the wire.
//
// Open makes the socket and the ring (setup.go, ring.go), Run walks blocks and
// otherwise sleeps in poll until packets, an event of the interface or the end
// of the context wakes it (run.go, wake.go, link.go). Stats may be asked for
// from anywhere (stats.go). The device belongs to the network namespace of the
// thread that opened it.
//
// Parameters of a device in mapi.conf, all optional:
//
//	ring_mb=64           size of the ring in MiB
//	block_kb=1024        size of a block in KiB; a packet must fit in one
//	retire_ms=10         how long a packet may wait for its block to fill
//	snap=262144          bytes kept of each packet
//	promisc=1            also take what is addressed to others
//	direction=both       both, in or out; on loopback the default is in, as
//	                     every packet passes there twice
//	vlan_tags=restore    restore or strip the outer VLAN tag
//
// Sources: packet(7), Documentation/networking/packet_mmap.rst and
// include/uapi/linux/if_packet.h of the kernel.
package nic

import (
	"context"

	"gomapi/drivers"
)

// Driver opens network interfaces by name.
type Driver struct{}

// Open makes a ring on the interface c.Device, which may be down still. It
// needs CAP_NET_RAW. Errors carry 1026: no such interface, a link type that is
// not supported, no privilege, a bad parameter, no memory for the ring.
func (Driver) Open(ctx context.Context, c drivers.Config) (drivers.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, openError(c.Device, "opening was given up", err)
	}
	o, err := parseOptions(c)
	if err != nil {
		return nil, err
	}
	d, err := open(c.Device, o)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// A device is an open interface. It belongs to whoever opens, runs and closes
// it, one after the other; only stats and wake are for other goroutines, too.
type device struct {
	name  string
	opts  options
	link  linkType
	index int // of the interface, at open

	sock   int // packet socket
	ring   ring
	events int // rtnetlink socket: changes of interfaces
	wake   wake
	view   view
	batch  []drivers.Packet // what one Sink call gets; made once
	stats  stats
}

// Info tells device type, link type and snap length. They do not change.
func (d *device) Info() drivers.Info {
	return drivers.Info{DevType: drivers.TypeNIC, LinkType: d.link.dlt, Snap: d.opts.snap}
}

// Stats returns the counters since Open. Recv and Drop come from the kernel's
// ring, IfDrop and IfDropOther from the interface. It may be called from any
// goroutine; it reads the kernel's counters, so it is not for every packet.
func (d *device) Stats() drivers.Stats { return d.stats.read() }

// Close gives ring and sockets back. Run must have returned.
func (d *device) Close() error {
	d.stats.close()
	err := d.ring.unmap()
	d.wake.close()
	closeFD(&d.events)
	closeFD(&d.sock)
	return err
}
