package nic

import (
	"context"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
)

// Run captures on the calling goroutine until ctx ends, which gives nil, or the
// interface is deleted (1100). An interface that goes down is waited for.
// Packets that are in the ring when ctx ends are not delivered.
func (d *device) Run(ctx context.Context, s drivers.Sink) error {
	defer d.wake.watch(ctx)()
	for !d.wake.stopped() {
		block, ok := d.ring.next()
		if !ok {
			if err := d.wait(); err != nil {
				return err
			}
			continue
		}
		d.deliver(block, s)
		if d.ring.release() {
			d.stats.collect()
		}
	}
	return nil
}

// deliver hands the packets of a block to s. Blocks may be empty.
func (d *device) deliver(block []byte, s drivers.Sink) {
	c := newCursor(block)
	for !d.wake.stopped() {
		n := d.view.fill(&c, d.batch)
		if n == 0 {
			break
		}
		s.Batch(d.batch[:n])
	}
	d.stats.add(&c)
}

// wait sleeps until the kernel hands a block over, the interface changes or
// wake is called. It needs no timeout: a block with packets is handed over
// after retire_ms at the latest.
func (d *device) wait() error {
	fds := [...]unix.PollFd{
		{Fd: int32(d.sock), Events: unix.POLLIN},
		{Fd: int32(d.events), Events: unix.POLLIN},
		{Fd: int32(d.wake.fd), Events: unix.POLLIN},
	}
	if _, err := unix.Poll(fds[:], -1); err != nil && err != unix.EINTR {
		return mapierr.Wrap(mapierr.NICThread, "interface "+d.name+": poll", err)
	}
	if fds[1].Revents != 0 {
		drain(d.events)
	}
	if fds[0].Revents&^unix.POLLIN != 0 || fds[1].Revents != 0 {
		return d.checkLink()
	}
	return nil
}
