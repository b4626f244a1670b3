package nic

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// stats accumulates the counters of a device.
//
// The kernel's counters of the ring have 32 bits, and each read resets them
// (packet(7), PACKET_STATISTICS). Each reader therefore adds the values to the
// totals, under the lock.
type stats struct {
	truncated atomic.Uint64 // these are set by Run
	broken    atomic.Uint64
	last      atomic.Uint64 // timestamp of the newest packet
	away      atomic.Bool   // the interface is away

	mu     sync.Mutex
	sock   *socket         // nil while the interface is away
	kernel *netlink.Handle // in the interface's namespace; nil before the first attach and after close
	total  drivers.Stats
	left   uint64 // packets in rings that were closed
	lost   growth // rx_missed_errors and rx_fifo_errors of the interface
	other  growth // its rx_dropped: losses with some drivers, and packets that no protocol took
}

// attach takes the current counters of the interface as the start. The counters
// of the ring are zero before bind. The thread must be in the interface's
// namespace.
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

// detach reads the counters of a silent socket for the last time. Packets that
// remain in its ring count as waiting from then on.
func (s *stats) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshLocked()
	s.left, s.sock = s.total.Waiting, nil
	s.total.LinkState = drivers.LinkAbsent
}

// note stores the counters of Run.
func (s *stats) note(v *view) {
	s.truncated.Store(v.truncated)
	s.broken.Store(v.broken)
}

func (s *stats) reopened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Reopens++
}

// dropped reads the ring's counters, so that they cannot overflow, and returns
// the number of dropped packets. It never waits: it reports false while another
// goroutine reads them.
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

// close reads the counters a last time and closes the netlink handle.
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

// refreshLocked reads all counters. Those of a removed interface keep their
// values.
func (s *stats) refreshLocked() {
	if s.sock == nil {
		return
	}
	// The order matters: a packet that arrives meanwhile is counted in Recv
	// only, and no packet is waiting that was not received.
	s.total.Waiting = s.left + s.sock.ring.waiting()
	s.readRingLocked()
	var missing netlink.LinkNotFoundError
	if err := s.readLinkLocked(); errors.As(err, &missing) {
		s.total.LinkState = drivers.LinkAbsent
	}
}

// readRingLocked adds the ring's counts since the last read. The kernel's
// packet count includes dropped packets.
func (s *stats) readRingLocked() {
	if s.sock == nil {
		return
	}
	// A ring of frames has no count of freezes and leaves this field 0.
	now, err := unix.GetsockoptTpacketStatsV3(s.sock.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return
	}
	s.total.Recv += uint64(now.Packets)
	s.total.Drop += uint64(now.Drops)
	s.total.Freezes += uint64(now.Freeze_q_cnt)
}

// readLinkLocked reads the interface's counters (struct rtnl_link_stats64 in
// linux/if_link.h) by index. sysfs would need the name, which can change, and
// covers only one network namespace.
func (s *stats) readLinkLocked() error {
	if s.sock.index == 0 { // all interfaces together have no counters
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

// linkState returns the state for the flags of an interface (netdevice(7)).
func linkState(flags uint32) drivers.LinkState {
	switch {
	case flags&unix.IFF_UP == 0:
		return drivers.LinkDown
	case flags&unix.IFF_RUNNING == 0:
		return drivers.LinkNoCarrier
	}
	return drivers.LinkUp
}

// A growth accumulates the growth of a counter since its first read. After a
// reset of the counter it continues from the new value.
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
