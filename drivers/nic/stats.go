package nic

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// stats adds up the counters of a device.
//
// The kernel's counters of the ring have 32 bits and start again at zero with
// every reading (packet(7), PACKET_STATISTICS), so whoever reads them adds what
// was read to the totals, under the lock.
type stats struct {
	truncated atomic.Uint64 // these are set by Run
	broken    atomic.Uint64
	last      atomic.Uint64 // time stamp of the newest packet
	away      atomic.Bool   // the interface is waited for

	mu     sync.Mutex
	sock   *socket         // nil while the interface is away
	kernel *netlink.Handle // in the interface's namespace; nil before the first attach and after close
	total  drivers.Stats
	left   uint64 // packets in rings that were given up
	lost   growth // rx_missed_errors and rx_fifo_errors of the interface
	other  growth // its rx_dropped, where some drivers count losses, and the kernel what no protocol took
}

// attach takes the interface's counters of now as the start. Those of the ring
// are zero before bind. The thread must be in the interface's namespace.
func (s *stats) attach(sock *socket) error {
	kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kernel != nil {
		s.kernel.Close()
	}
	s.kernel, s.sock = kernel, sock
	s.lost.started, s.other.started = false, false
	s.away.Store(false)
	return s.readLinkLocked()
}

// detach reads the counters of a silent socket for the last time. What is in its
// ring then is waiting for ever.
func (s *stats) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshLocked()
	s.left, s.sock = s.total.Waiting, nil
	s.total.LinkState = drivers.LinkAbsent
}

// note takes over what Run has seen so far.
func (s *stats) note(v *view) {
	s.truncated.Store(v.truncated)
	s.broken.Store(v.broken)
}

func (s *stats) reopened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Reopens++
}

// dropped reads the ring's counters, before they can overflow, and returns how many
// packets were dropped. It never waits: it fails while somebody else reads them.
func (s *stats) dropped() (n uint64, ok bool) {
	if !s.mu.TryLock() {
		return 0, false
	}
	defer s.mu.Unlock()
	s.readRingLocked()
	return s.total.Drop, true
}

func (s *stats) read() drivers.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshLocked()
	t := s.total
	t.IfDrop, t.IfDropOther = s.lost.total, s.other.total
	t.Truncated, t.Errors, t.LastPacketTS = s.truncated.Load(), s.broken.Load(), s.last.Load()
	return t
}

// close reads the counters once more and lets the kernel go.
func (s *stats) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshLocked()
	s.sock = nil
	if s.kernel != nil {
		s.kernel.Close()
		s.kernel = nil
	}
}

// refreshLocked reads all counters. Those of an interface that is gone stay as
// they were.
func (s *stats) refreshLocked() {
	if s.sock == nil {
		return
	}
	// In this order, so that a packet that comes meanwhile is in Recv only and
	// nothing is waiting that was not received.
	s.total.Waiting = s.left + s.sock.ring.waiting()
	s.readRingLocked()
	var missing netlink.LinkNotFoundError
	if err := s.readLinkLocked(); errors.As(err, &missing) {
		s.total.LinkState = drivers.LinkAbsent
	}
}

// readRingLocked adds what the ring counted since the last reading. The
// kernel's count of packets includes those it dropped.
func (s *stats) readRingLocked() {
	if s.sock == nil {
		return
	}
	// A ring of frames has no count of freezes and leaves it at 0.
	now, err := unix.GetsockoptTpacketStatsV3(s.sock.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return
	}
	s.total.Recv += uint64(now.Packets)
	s.total.Drop += uint64(now.Drops)
	s.total.Freezes += uint64(now.Freeze_q_cnt)
}

// readLinkLocked reads the interface's counters (struct rtnl_link_stats64 in
// linux/if_link.h) by its index: in sysfs they go by a name that can change,
// and only for one network namespace.
func (s *stats) readLinkLocked() error {
	if s.sock.index == 0 { // all interfaces together have neither
		s.total.LinkState = drivers.LinkUp
		return nil
	}
	link, err := s.kernel.LinkByIndex(s.sock.index)
	if err != nil {
		return err
	}
	s.total.LinkState = linkState(link.Attrs().RawFlags)
	if now := link.Attrs().Statistics; now != nil {
		s.lost.update(now.RxMissedErrors + now.RxFifoErrors)
		s.other.update(now.RxDropped)
	}
	return nil
}

// linkState reads the flags of an interface (netdevice(7)).
func linkState(flags uint32) drivers.LinkState {
	switch {
	case flags&unix.IFF_UP == 0:
		return drivers.LinkDown
	case flags&unix.IFF_RUNNING == 0:
		return drivers.LinkNoCarrier
	}
	return drivers.LinkUp
}

// A growth adds up how far a counter has come since its first reading. A counter
// that was set back goes on from there.
type growth struct {
	last, total uint64
	started     bool
}

func (g *growth) update(now uint64) {
	if g.started && now > g.last {
		g.total += now - g.last
	}
	g.last, g.started = now, true
}
