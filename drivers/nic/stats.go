package nic

import (
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
	truncated atomic.Uint64 // counted by Run
	broken    atomic.Uint64 // counted by Run

	mu     sync.Mutex
	sock   int             // packet socket
	index  int             // of the interface
	kernel *netlink.Handle // nil before open and after close
	total  drivers.Stats
	lost   growth // rx_missed_errors and rx_fifo_errors of the interface
	other  growth // its rx_dropped, where some drivers count losses
}

// open takes the interface's counters of now as the start. Those of the ring
// are zero before bind.
func (s *stats) open(sock, index int) error {
	kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sock, s.index, s.kernel = sock, index, kernel
	return s.readLinkLocked()
}

// add takes over what a walk through a block counted.
func (s *stats) add(c *cursor) {
	if c.truncated != 0 {
		s.truncated.Add(c.truncated)
	}
	if c.broken != 0 {
		s.broken.Add(c.broken)
	}
}

// collect adds the ring's counters to the totals before they can overflow. Run
// calls it once a round of the ring. It never waits: who holds the lock is
// reading them.
func (s *stats) collect() {
	if s.mu.TryLock() {
		s.readRingLocked()
		s.mu.Unlock()
	}
}

func (s *stats) read() drivers.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshLocked()
	t := s.total
	t.IfDrop, t.IfDropOther = s.lost.total, s.other.total
	t.Truncated, t.Errors = s.truncated.Load(), s.broken.Load()
	return t
}

// close reads the counters once more and lets the kernel go.
func (s *stats) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshLocked()
	if s.kernel != nil {
		s.kernel.Close()
		s.kernel = nil
	}
}

// refreshLocked reads all counters. Those of an interface that is gone stay as
// they were.
func (s *stats) refreshLocked() {
	if s.kernel == nil {
		return
	}
	s.readRingLocked()
	s.readLinkLocked()
}

// readRingLocked adds what the ring counted since the last reading. The
// kernel's count of packets includes those it dropped.
func (s *stats) readRingLocked() {
	now, err := unix.GetsockoptTpacketStatsV3(s.sock, unix.SOL_PACKET, unix.PACKET_STATISTICS)
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
	link, err := s.kernel.LinkByIndex(s.index)
	if err != nil {
		return err
	}
	if now := link.Attrs().Statistics; now != nil {
		s.lost.update(now.RxMissedErrors + now.RxFifoErrors)
		s.other.update(now.RxDropped)
	}
	return nil
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
