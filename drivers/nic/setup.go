package nic

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
)

// tagBytes is the size of a VLAN tag.
const tagBytes = 4

// open makes a device. Its steps keep an order: nothing may reach the ring
// before the interface is bound, so that packets of other interfaces never get
// in and the kernel's counters start at zero.
func open(name string, o options) (*device, error) {
	d := &device{name: name, opts: o, sock: -1, events: -1, wake: wake{fd: -1}}
	steps := []func() error{
		d.openSocket,
		d.findInterface,
		d.setVersion,
		d.setFilter,
		d.makeRing,
		d.openWakers,
		d.openStats,
		d.bind,
		d.setPromisc,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			d.Close()
			return nil, err
		}
	}
	d.view = view{snap: uint32(o.snap), linkType: d.link.dlt, strip: o.stripVLAN}
	d.batch = make([]drivers.Packet, drivers.MaxBatch)
	return d, nil
}

// openSocket opens the packet socket with protocol 0, which receives nothing
// until bind.
func (d *device) openSocket() (err error) {
	d.sock, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return openError(d.name, "capturing needs the capability CAP_NET_RAW; run mapid as root, "+
			"or give it to the program once: setcap cap_net_raw,cap_net_admin+ep mapid", err)
	}
	if err != nil {
		return openError(d.name, "open a packet socket", err)
	}
	return nil
}

func (d *device) findInterface() error {
	index, err := d.ioctl(unix.SIOCGIFINDEX)
	if err != nil {
		return openError(d.name, "there is no interface of this name; \"ip link\" lists them", err)
	}
	hardware, err := d.ioctl(unix.SIOCGIFHWADDR)
	if err != nil {
		return openError(d.name, "read the link type", err)
	}
	d.index = int(index.Uint32())
	// The answer is a struct sockaddr, which begins with the ARPHRD number.
	d.link, err = linkTypeOf(d.name, hardware.Uint16())
	if err != nil {
		return err
	}
	if d.opts.direction == automatic && d.link.twice {
		d.opts.direction = in
	}
	return nil
}

// ioctl asks about the interface (netdevice(7)).
func (d *device) ioctl(request uint) (*unix.Ifreq, error) {
	req, err := unix.NewIfreq(d.name)
	if err != nil {
		return nil, err
	}
	return req, unix.IoctlIfreq(d.sock, request, req)
}

// setVersion sets what must stand before the ring is made.
func (d *device) setVersion() error {
	if err := unix.SetsockoptInt(d.sock, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return openError(d.name, "select TPACKET_V3; it needs Linux 3.19", err)
	}
	// Room before each frame, where a VLAN tag is put back without a copy.
	if err := unix.SetsockoptInt(d.sock, unix.SOL_PACKET, unix.PACKET_RESERVE, tagBytes); err != nil {
		return openError(d.name, "reserve room for VLAN tags", err)
	}
	return nil
}

func (d *device) makeRing() error {
	g := newGeometry(d.opts)
	if err := d.ring.request(d.sock, g); err != nil {
		return openError(d.name, "make the ring; try a smaller ring_mb", err)
	}
	if err := d.ring.mmap(d.sock); err != nil {
		return openError(d.name, "map the ring; try a smaller ring_mb", err)
	}
	return nil
}

func (d *device) openWakers() (err error) {
	if err = d.wake.open(); err != nil {
		return openError(d.name, "make an eventfd", err)
	}
	if d.events, err = openLinkEvents(); err != nil {
		return openError(d.name, "subscribe to interface events", err)
	}
	return nil
}

func (d *device) openStats() error {
	if err := d.stats.open(d.sock, d.index); err != nil {
		return openError(d.name, "read the counters of the interface", err)
	}
	return nil
}

// bind starts the flow of packets. On an interface that is down it succeeds,
// and packets come once it is up.
func (d *device) bind() error {
	to := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: d.index}
	if err := unix.Bind(d.sock, to); err != nil {
		return openError(d.name, "bind to the interface", err)
	}
	return nil
}

// setPromisc joins the interface's promiscuous mode, which ends with the socket.
func (d *device) setPromisc() error {
	if !d.opts.promisc {
		return nil
	}
	m := &unix.PacketMreq{Ifindex: int32(d.index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(d.sock, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, m); err != nil {
		return openError(d.name, "promiscuous mode is refused; it may need CAP_NET_ADMIN, promisc=0 does without", err)
	}
	return nil
}

// openError makes the error 1026 for an interface.
func openError(name, what string, err error) error {
	return mapierr.Wrap(mapierr.PcapOpen, "interface "+name+": "+what, err)
}

// bigEndian turns a number into network byte order.
func bigEndian(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

// closeFD closes *fd once.
func closeFD(fd *int) {
	if *fd >= 0 {
		unix.Close(*fd)
		*fd = -1
	}
}
