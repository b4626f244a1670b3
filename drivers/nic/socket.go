package nic

import (
	"encoding/binary"
	"errors"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// A socket is a packet socket with its ring. Its methods up to bind keep an
// order: nothing may reach the ring before the interface is bound, so that
// packets of other interfaces never get in and the kernel's counters start at
// zero.
type socket struct {
	nic
	fd   int
	ring ring
}

// newSocket makes a socket that is ready to be bound. The thread must be in the
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

// open opens the packet socket with protocol 0, which receives nothing until
// bind.
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

// setVersion sets what must stand before the ring is made.
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
		return openError(s.name, "make the ring; try a smaller ring_mb", err)
	}
	return nil
}

// bind starts the flow of packets. On an interface that is down it succeeds,
// and packets come once it is up.
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
		return openError(s.name, "promiscuous mode is refused; it may need CAP_NET_ADMIN, promisc=0 does without", err)
	}
	return nil
}

// gone reports whether the interface is not there any more: then the kernel
// sets the index of the socket to -1, and no packet will ever come, also if an
// interface of the same name appears. One that is down only is waited for.
func (s *socket) gone() (bool, error) {
	// Reading clears the error; else poll would return at once for ever.
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

// silence ends the flow of packets: when it returns, the kernel has put the last
// one into the ring and counted it. It makes the filter refuse everything, for
// packets of now on, and binds to another protocol, for which the kernel waits
// until it is done with those under way (packet_do_bind in
// net/packet/af_packet.c). Nothing is left to do when the interface is gone.
func (s *socket) silence() {
	_ = s.attachFilter([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	none := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_802_3), Ifindex: s.index}
	_ = unix.Bind(s.fd, none)
}

// close gives ring and socket back. It may be called on a part of a socket.
func (s *socket) close() (err error) {
	if s.ring != nil {
		err = s.ring.unmap()
	}
	closeFD(&s.fd)
	return err
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
