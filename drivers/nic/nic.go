// Package nic captures from network interfaces of Linux through a ring: memory
// shared with the kernel, which fills it with packets.
//
//	kernel ──fills──> ring ──views──> Sink ──back──> kernel
//
// The device walks the ring packet by packet and writes views into an array
// that is allocated once (view.go); it copies no packets. The bytes belong to
// the ring and are valid until the Sink returns. There are two kinds of ring
// (ring.go): blocks of packets (blocks.go, block.go), which have the lowest
// cost, and frames of one packet each (frames.go), which have the lowest
// latency. A VLAN tag that the kernel has stripped, or a cooked header that
// readers of captures expect, is written into the room before the packet
// (header.go).
//
// Open looks up the interface (find.go, control.go, linktype.go) and creates
// socket and ring (socket.go, filter.go, timestamp.go). Run delivers packets
// and sleeps until more packets, an event of the interface or the end of the
// context wakes it (run.go, poller.go, wake.go). It logs packets that the ring
// loses (losses.go). If the interface is removed, Run waits for its return and
// reopens it (away.go). Any goroutine may call Stats (stats.go). The device
// belongs to the network namespace of the thread that opened it, or to the one
// given by netns (netns.go).
//
// The device "any" captures from all interfaces of the namespace.
//
// Parameters of a device in mapi.conf, all optional:
//
//	ring_mb=64           size of the ring in MiB
//	block_kb=1024        size of a block in KiB; a packet must fit in one
//	retire_ms=10         how long a packet may wait for its block to fill
//	snap=262144          bytes kept of each packet
//	promisc=1            also capture packets addressed to others
//	direction=both       both, in or out; on loopback the default is in,
//	                     because every packet passes there twice
//	vlan_tags=restore    restore or strip the outer VLAN tag
//	latency=efficient    efficient, or low: each packet wakes the daemon
//	tstamp=sw            timestamps of the kernel (sw) or the card (hw, or
//	                     hw-force to accept a clock that differs from the system's)
//	netns=               network namespace, by name (ip-netns(8)) or path
//
// Sources: packet(7), Documentation/networking/packet_mmap.rst and
// include/uapi/linux/if_packet.h of the kernel.
package nic

import (
	"context"
	"math"
	"time"

	"gomapi/drivers"
)

// Driver opens network interfaces by name.
type Driver struct{}

// Open creates a ring on the interface with the name or alternative name
// c.Device. The interface may be down. Open needs CAP_NET_RAW, and
// CAP_SYS_ADMIN for another network namespace. Errors carry 1026: no such
// interface or namespace, missing privilege, invalid parameter, no memory for
// the ring, or a card without timestamps.
func (Driver) Open(ctx context.Context, c drivers.Config) (drivers.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, openError(c.Device, "open was canceled", err)
	}
	o, err := parseOptions(c)
	if err != nil {
		return nil, err
	}
	d := &device{name: c.Device, log: c.Log, opts: o, control: -1, wake: wake{fd: -1}}
	if d.log == nil {
		d.log = func(string, ...any) {}
	}
	if err := d.open(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// A device is an open interface. Its methods are called by one goroutine at a
// time; only stats and wake may be used concurrently.
type device struct {
	name string
	log  func(format string, args ...any)
	opts options
	link linkType // constant

	ns      *namespace
	control control
	sock    *socket // nil while the interface is away
	wake    wake
	poller  *poller // waits for control, sock and wake
	view    view
	batch   []drivers.Packet // for Sink calls; allocated once
	stats   stats

	called    string  // current name of the interface
	longest   uint32  // maximum length in bytes of a frame that was not merged
	gap       bool    // packets may be missing before the next one
	delivered uint64  // packets
	retry     backoff // of reopening

	losses   episode
	dropped  uint64    // packets that the ring had lost at the last look
	looked   uint64    // packets delivered until the last look
	nextLook time.Time // earliest time of the next look
}

// open opens the device for the first time.
func (d *device) open() (err error) {
	if err = d.prepareWaiting(); err != nil {
		return openError(d.name, "create an epoll instance and an eventfd", err)
	}
	if err = d.enter(); err != nil {
		return err
	}
	n, err := d.lookUp()
	if err != nil {
		return err
	}
	d.link = n.link
	d.view = newView(d.opts, d.link)
	d.batch = make([]drivers.Packet, drivers.MaxBatch)
	if err := d.attach(n); err != nil {
		return err
	}
	d.warnDown()
	return nil
}

// warnDown warns that the interface is down.
func (d *device) warnDown() {
	if d.sock.index != 0 && !d.control.isUp(d.called) {
		d.log("interface %s is down; capture starts when it is up: ip link set dev %s up", d.name, d.called)
	}
}

// prepareWaiting creates what wait needs even without an interface.
func (d *device) prepareWaiting() (err error) {
	if d.poller, err = newPoller(); err != nil {
		return err
	}
	if err = d.wake.open(); err != nil {
		return err
	}
	return d.poller.add(d.wake.fd)
}

// enter opens the namespace of the device and subscribes to its events.
func (d *device) enter() (err error) {
	d.ns, err = openNamespace(d.opts.netns)
	if err != nil {
		return openError(d.name, "there is no network namespace "+d.opts.netns+"; \"ip netns\" lists those with a name", err)
	}
	return d.subscribe()
}

// subscribe subscribes to the events of the device's namespace.
func (d *device) subscribe() error {
	err := d.ns.do(func() error {
		c, err := openControl()
		if err != nil {
			return err
		}
		d.control.close()
		if err := d.poller.add(int(c)); err != nil {
			c.close()
			return err
		}
		d.control = c
		return nil
	})
	if err != nil {
		return openError(d.name, "subscribe to interface events", err)
	}
	return nil
}

// attach starts capturing from n.
func (d *device) attach(n nic) error {
	err := d.ns.do(func() error {
		s, err := newSocket(d.control, n, d.opts)
		if err != nil {
			return err
		}
		d.sock = s
		if err := d.poller.add(s.fd); err != nil {
			return openError(d.name, "poll its socket", err)
		}
		if err := d.stats.attach(s); err != nil {
			return openError(d.name, "read the counters of the interface", err)
		}
		return s.bind(d.opts)
	})
	if err != nil {
		_ = d.detach() // the result is err, which is more useful
		return err
	}
	d.called = n.name
	d.longest, d.view.longest = math.MaxUint32, 0 // for the new interface, if it is another one
	if n.index != 0 {
		d.longest = longestFrame(n.mtu)
		d.warnMerging()
	}
	return nil
}

// detach stops capturing. It keeps the counters.
func (d *device) detach() error {
	if d.sock == nil {
		return nil
	}
	d.sock.silence()
	d.stats.detach()
	s := d.sock
	d.sock = nil
	return s.close()
}

// Info returns what is constant. The clock of a card is not that of the host, even
// if both agree.
func (d *device) Info() drivers.Info {
	return drivers.Info{
		DevType: drivers.TypeNIC, LinkType: d.link.dlt, Snap: d.opts.snap,
		HostClock: d.opts.timestamp == software,
	}
}

// Stats returns the counters since Open. Recv and Drop come from the kernel's
// ring, Waiting is counted in the ring. IfDrop and IfDropOther come from the
// interface; the device "any" has neither. Any goroutine may call Stats. It
// reads the kernel's counters with system calls, so it must not be called per
// packet.
func (d *device) Stats() drivers.Stats { return d.stats.read() }

// Fullness implements drivers.Gauge.
func (d *device) Fullness() int {
	if d.sock == nil {
		return 0
	}
	return d.sock.ring.fullness()
}

// Absent implements drivers.Presence.
func (d *device) Absent() bool { return d.stats.away.Load() }

// Close releases ring and sockets. Run must have returned.
func (d *device) Close() error {
	if d.sock != nil {
		d.sock.silence()
	}
	d.stats.close()
	var err error
	if d.sock != nil {
		err = d.sock.close()
		d.sock = nil
	}
	d.poller.close()
	d.wake.close()
	d.control.close()
	if d.ns != nil {
		d.ns.close()
	}
	return err
}
