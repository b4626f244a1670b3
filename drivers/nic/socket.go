package nic

import (
	"encoding/binary"
	"errors"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// A socket is a packet socket with its ring. The methods up to bind must be
// called in this order: no packet may enter the ring before the bind to the
// interface, so that the ring contains no packets of other interfaces and the
// kernel's counters start at zero.
type socket struct {
	nic
	fd   int
	ring ring
}

// newSocket creates a socket that is ready for bind. The thread must be in the
// network namespace of the interface.
func newSocket(c control, n nic, o options) (*socket, error) {
	s := &socket{nic: n, fd: -1}
	for _, step := range []func() error{
		s.open,
		func() error { return s.setVersion(o) },
		func() error { return s.setTimestamps(c, o) },
		func() error { return s.setFilter(o) },
		func() error { return s.makeRing(o) },
	} {
		if err := step(); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// open opens the packet socket with protocol 0, so that it receives nothing
// until bind.
func (s *socket) open() (err error) {
	s.fd, err = unix.Socket(unix.AF_PACKET, s.link.socketType()|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return unprivileged(s.name, err)
	}
	if err != nil {
		return openError(s.name, "open a packet socket", err)
	}
	return nil
}

// setVersion sets the options that must be set before the ring is created.
func (s *socket) setVersion(o options) error {
	version := unix.TPACKET_V3
	if o.lowLatency {
		version = unix.TPACKET_V2
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, version); err != nil {
		return openError(s.name, "select the kind of ring; blocks need Linux 3.19", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, int(s.link.header.room())); err != nil {
		return openError(s.name, "reserve room for link headers", err)
	}
	return nil
}

func (s *socket) makeRing(o options) (err error) {
	if o.lowLatency {
		s.ring, err = newFrameRing(s.fd, o, s.mtu)
	} else {
		s.ring, err = newBlockRing(s.fd, o)
	}
	if err != nil {
		return openError(s.name, "create the ring; try a smaller ring_mb", err)
	}
	return nil
}

// bind starts the reception of packets. It succeeds on an interface that is
// down; packets arrive when it is up.
func (s *socket) bind(o options) error {
	to := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: s.index}
	if err := unix.Bind(s.fd, to); err != nil {
		return openError(s.name, "bind to the interface", err)
	}
	if !o.promisc || s.index == 0 {
		return nil
	}
	// Promiscuous mode ends with the socket or the interface.
	m := &unix.PacketMreq{Ifindex: int32(s.index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, m); err != nil {
		return openError(s.name, "cannot set promiscuous mode; it may need CAP_NET_ADMIN, promisc=0 does not", err)
	}
	return nil
}

// gone reports whether the interface was removed. The kernel then sets the
// index of the socket to -1, and no packet will ever arrive, even if a new
// interface has the same name. An interface that is only down is not gone.
func (s *socket) gone() (bool, error) {
	// Reading clears the error. Otherwise poll would always return at once.
	if _, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil {
		return false, mapierr.Wrap(mapierr.NICThread, "interface "+s.name+": read the state of the socket", err)
	}
	addr, err := unix.Getsockname(s.fd)
	if err != nil {
		return false, mapierr.Wrap(mapierr.NICThread, "interface "+s.name+": read the address of the socket", err)
	}
	ll, ok := addr.(*unix.SockaddrLinklayer)
	return !ok || ll.Ifindex != s.index, nil
}

// silence stops the reception of packets. When it returns, the kernel has put
// the last packet into the ring and counted it. silence first attaches a filter
// that rejects all further packets. Then it binds to another protocol, because
// the kernel waits in bind until packets in progress are finished
// (packet_do_bind in net/packet/af_packet.c). If the interface is gone, there
// is nothing to do.
func (s *socket) silence() {
	_ = s.attachFilter([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	none := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_802_3), Ifindex: s.index}
	_ = unix.Bind(s.fd, none)
}

// close releases ring and socket. It also works on a partly created socket.
func (s *socket) close() (err error) {
	if s.ring != nil {
		err = s.ring.unmap()
	}
	closeFD(&s.fd)
	return err
}

// openError returns the error 1026 for an interface.
func openError(name, what string, err error) error {
	return mapierr.Wrap(mapierr.PcapOpen, "interface "+name+": "+what, err)
}

// bigEndian converts a number to network byte order.
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
