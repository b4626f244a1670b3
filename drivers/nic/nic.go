// Package nic captures from network interfaces of Linux through a ring: memory
// shared with the kernel, which fills it with packets.
//
//	kernel ──fills──> ring ──views──> Sink ──back──> kernel
//
// The ring is walked packet by packet into an array of views that is made once
// (view.go); nothing is copied. The bytes belong to the ring and are valid until
// the Sink returns. There are two kinds of ring (ring.go): blocks of packets
// (blocks.go, block.go), which cost least, and frames of one packet each
// (frames.go), which come at once. What the kernel took off a packet or what
// readers of captures expect before it, a VLAN tag or a cooked header, is
// written into the room before it (header.go).
//
// Open looks the interface up (control.go, linktype.go), makes socket and ring
// (socket.go, filter.go, timestamp.go). Run takes packets and otherwise sleeps
// until packets, an event of the interface or the end of the context wakes it
// (run.go, poller.go, wake.go). An interface that is removed is waited for and
// opened again (away.go). Stats may be asked for from anywhere (stats.go). The
// device belongs to the network namespace of the thread that opened it, or to
// the one that netns names (netns.go).
//
// The device "any" captures from all interfaces of the namespace.
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
//	latency=efficient    efficient, or low: each packet wakes the daemon
//	tstamp=sw            time stamps of the kernel (sw) or the card (hw, or
//	                     hw-force to use a clock that differs from the system's)
//	netns=               network namespace, by name (ip-netns(8)) or path
//
// Sources: packet(7), Documentation/networking/packet_mmap.rst and
// include/uapi/linux/if_packet.h of the kernel.
package nic

import (
	"context"
	"math"

	"gomapi/drivers"
)

// Driver opens network interfaces by name.
type Driver struct{}

// Open makes a ring on the interface c.Device, which may be down still. It
// needs CAP_NET_RAW, and CAP_SYS_ADMIN for another network namespace. Errors
// carry 1026: no such interface or namespace, no privilege, a bad parameter, no
// memory for the ring, no time stamps of the card.
func (Driver) Open(ctx context.Context, c drivers.Config) (drivers.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, openError(c.Device, "opening was given up", err)
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

// Find implements drivers.Finder. Its error carries 1026, and EPERM when the interface
// is there and this process may not capture on it.
func (Driver) Find(c drivers.Config) error {
	o, err := parseOptions(c)
	if err != nil {
		return err
	}
	d := &device{name: c.Device, opts: o, control: -1}
	defer d.control.close()
	err = d.enter()
	defer d.ns.close()
	if err == nil {
		_, err = d.control.find(d.name)
	}
	if err == nil {
		err = d.ns.do(func() error { return permitted(d.name) })
	}
	return err
}

// A device is an open interface. It belongs to whoever opens, runs and closes
// it, one after the other; only stats and wake are for other goroutines, too.
type device struct {
	name string
	log  func(format string, args ...any)
	opts options
	link linkType // does not change

	ns      *namespace
	control control
	sock    *socket // nil while the interface is away
	wake    wake
	poller  *poller // waits for control, sock and wake
	view    view
	batch   []drivers.Packet // what one Sink call gets; made once
	stats   stats

	called    string  // the interface's name now
	longest   uint32  // bytes of a frame that nobody has merged
	gap       bool    // packets may be missing before the next one
	delivered uint64  // packets
	retry     backoff // of opening again
}

// open makes everything for the first time.
func (d *device) open() (err error) {
	if err = d.prepareWaiting(); err != nil {
		return openError(d.name, "make an epoll instance and an eventfd", err)
	}
	if err = d.enter(); err != nil {
		return err
	}
	n, err := d.control.find(d.name)
	if err != nil {
		return err
	}
	d.link = n.link
	d.view = newView(d.opts, d.link)
	d.batch = make([]drivers.Packet, drivers.MaxBatch)
	return d.attach(n)
}

// prepareWaiting makes what wait needs before there is an interface.
func (d *device) prepareWaiting() (err error) {
	if d.poller, err = newPoller(); err != nil {
		return err
	}
	if err = d.wake.open(); err != nil {
		return err
	}
	return d.poller.add(d.wake.fd)
}

// enter opens the namespace of the device and its events.
func (d *device) enter() (err error) {
	d.ns, err = openNamespace(d.opts.netns)
	if err != nil {
		return openError(d.name, "there is no network namespace "+d.opts.netns+"; \"ip netns\" lists those with a name", err)
	}
	return d.subscribe()
}

// subscribe asks for the events of the device's namespace.
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

// attach begins to capture from n.
func (d *device) attach(n nic) error {
	err := d.ns.do(func() error {
		s, err := newSocket(d.control, n, d.opts)
		if err != nil {
			return err
		}
		d.sock = s
		if err := d.poller.add(s.fd); err != nil {
			return openError(d.name, "wait for its packets", err)
		}
		if err := d.stats.attach(s); err != nil {
			return openError(d.name, "read the counters of the interface", err)
		}
		return s.bind(d.opts)
	})
	if err != nil {
		_ = d.detach() // err says more
		return err
	}
	d.called = n.name
	d.longest = math.MaxUint32
	if n.index != 0 {
		d.longest = longestFrame(n.mtu)
		d.warnMerging()
	}
	return nil
}

// detach ends capturing. Counters stay.
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

// Info tells device type, link type and snap length. They do not change.
func (d *device) Info() drivers.Info {
	return drivers.Info{DevType: drivers.TypeNIC, LinkType: d.link.dlt, Snap: d.opts.snap}
}

// Stats returns the counters since Open. Recv and Drop come from the kernel's
// ring, Waiting is counted in the ring; IfDrop and IfDropOther are the
// interface's, the device "any" has none of those. It may be called from any
// goroutine; it reads the kernel's counters, so it is not for every packet.
func (d *device) Stats() drivers.Stats { return d.stats.read() }

// Absent implements drivers.Absentee.
func (d *device) Absent() bool { return d.stats.away.Load() }

// Close gives ring and sockets back. Run must have returned.
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
