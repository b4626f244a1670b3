package nic

import (
	"errors"
	"time"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
)

// follow handles a change of the interface. After down and up the socket still
// works, so nothing is to do. For a removed interface, follow waits until it
// returns. The device stays with a renamed interface until another interface
// has the name.
func (d *device) follow(s drivers.Sink) error {
	gone, err := d.sock.gone()
	if err != nil {
		return err
	}
	switch {
	case gone:
		d.log("interface %s is gone; capture continues when it returns", d.name)
	case d.succeeded():
		d.sock.silence() // otherwise takeLast would never end
		d.log("another interface is named %s now; capture continues there", d.name)
	default:
		d.noteName()
		return nil
	}
	if err := d.takeLast(s); err != nil {
		return err
	}
	if err := d.detach(); err != nil {
		return mapierr.Wrap(mapierr.NICThread, "interface "+d.name+": release its ring", err)
	}
	return d.comeBack(s)
}

// succeeded reports whether another interface now has the name of the device.
func (d *device) succeeded() bool {
	if d.sock.index == 0 {
		return false
	}
	index, err := d.indexOfName()
	return err == nil && index != d.sock.index
}

// noteName logs a new name of the interface. The device keeps its own name.
func (d *device) noteName() {
	if d.sock.index == 0 {
		return
	}
	if now := d.control.name(d.sock.index); now != "" && now != d.called {
		d.log("interface %s is now called %s; capture continues", d.called, now)
		d.called = now
	}
}

// takeLast delivers the packets from before the removal of the interface. The
// last of them are in a block that the kernel still has to hand over.
func (d *device) takeLast(s drivers.Sink) error {
	end := time.Now().Add(d.blockDelay())
	for {
		d.take(s)
		left := time.Until(end)
		if d.wake.stopped() || left <= 0 || d.sock.ring.waiting() == 0 {
			return nil
		}
		if _, err := d.wait(end); err != nil {
			return err
		}
	}
}

// lookEvery is how often a namespace given by name is looked up while the
// interface is away, because no event announces its re-creation.
const lookEvery = 5 * time.Second

// comeBack waits for an interface with the device's name and opens it. It also
// returns nil when wake is called. Meanwhile packet time goes on: Pause is called
// at the time that it returned last.
func (d *device) comeBack(s drivers.Sink) error {
	said := ""
	for !d.wake.stopped() {
		var until time.Time
		if d.ns.path != "" {
			until = time.Now().Add(lookEvery)
		}
		if n, ok := d.find(); ok {
			if d.retry.left(time.Now()) == 0 {
				err := d.reopen(n)
				if err == nil || errors.Is(err, errOtherLink) {
					return err
				}
				if err.Error() != said {
					said = err.Error()
					d.log("reopen: %v", err)
				}
			}
			until = time.Now().Add(d.retry.left(time.Now()))
		}
		d.stats.away.Store(true)
		if _, err := d.wait(earlier(s.Pause(0, d.blockDelay()), until)); err != nil {
			return err
		}
	}
	return nil
}

// find looks up the interface in the namespace that currently has its name.
func (d *device) find() (nic, bool) {
	if d.ns.replaced() && d.ns.refresh() == nil {
		d.control.close()
	}
	if d.control < 0 && d.subscribe() != nil {
		return nic{}, false
	}
	n, err := d.lookUp()
	return n, err == nil
}

var errOtherLink = errors.New("the interface returned with another link type, which its flows do not support; create new flows")

func (d *device) reopen(n nic) error {
	d.retry.tried(time.Now())
	if n.link != d.link {
		return mapierr.Wrap(mapierr.NICThread, "interface "+d.name, errOtherLink)
	}
	if err := d.attach(n); err != nil {
		return err
	}
	d.gap = true
	d.stats.reopened()
	d.log("interface %s is back; capture continues", d.name)
	return nil
}

// A backoff spaces attempts: the first is immediate, the next follows after
// half a second, then the interval doubles up to 5 s. A quiet period resets it.
type backoff struct {
	last  time.Time
	delay time.Duration
}

const (
	firstDelay   = 500 * time.Millisecond
	longestDelay = 5 * time.Second
)

// left returns the time until the next attempt.
func (b *backoff) left(now time.Time) time.Duration {
	return max(0, b.last.Add(b.delay).Sub(now))
}

// tried records an attempt.
func (b *backoff) tried(now time.Time) {
	if now.Sub(b.last) > 2*longestDelay {
		b.delay = 0
	}
	b.last = now
	b.delay = min(max(2*b.delay, firstDelay), longestDelay)
}
