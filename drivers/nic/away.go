package nic

import (
	"errors"
	"time"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
)

// follow looks what has become of the interface. Down and up need nothing, the
// socket goes on; one that is gone is waited for. The device goes with its interface
// when that is renamed, until another one has the name.
func (d *device) follow(s drivers.Sink) error {
	gone, err := d.sock.gone()
	if err != nil {
		return err
	}
	switch {
	case gone:
		d.log("interface %s is gone; capturing goes on when it is back", d.name)
	case d.succeeded():
		d.sock.silence() // or it would never have taken the last
		d.log("interface %s is another one now, with this name; capturing goes on there", d.name)
	default:
		d.noteName()
		return nil
	}
	if err := d.takeLast(s); err != nil {
		return err
	}
	if err := d.detach(); err != nil {
		return mapierr.Wrap(mapierr.NICThread, "interface "+d.name+": give its ring back", err)
	}
	s.Pause(0) // no packet comes for long
	return d.comeBack()
}

// succeeded reports whether another interface has the name of the device.
func (d *device) succeeded() bool {
	if d.sock.index == 0 {
		return false
	}
	index, err := d.indexOfName()
	return err == nil && index != d.sock.index
}

// noteName tells when the interface has another name. The device keeps its own.
func (d *device) noteName() {
	if d.sock.index == 0 {
		return
	}
	if now := d.control.name(d.sock.index); now != "" && now != d.called {
		d.log("interface %s is now called %s; capturing goes on", d.called, now)
		d.called = now
	}
}

// takeLast delivers the packets that came before the interface went. The last
// of them lie in a block that the kernel hands over when its retire time ends,
// which takes up to two of its periods.
func (d *device) takeLast(s drivers.Sink) error {
	const slack = 20 * time.Millisecond
	end := time.Now().Add(2*time.Duration(d.opts.retire)*time.Millisecond + slack)
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

// lookEvery is how often a namespace that was given by name is looked up while
// the interface is away: nothing tells that it was made anew.
const lookEvery = 5 * time.Second

// comeBack waits for an interface of the device's name and opens it. It returns
// nil also when wake is called.
func (d *device) comeBack() error {
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
					d.log("open it again: %v", err)
				}
			}
			until = time.Now().Add(d.retry.left(time.Now()))
		}
		d.stats.away.Store(true)
		if _, err := d.wait(until); err != nil {
			return err
		}
	}
	return nil
}

// find looks for the interface, in the namespace that has its name now.
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

var errOtherLink = errors.New("it came back with another link type, which flows cannot follow; create them again")

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
	d.log("interface %s is back; capturing goes on", d.name)
	return nil
}

// A backoff spaces attempts: one at once, the next after half a second, then
// twice as long each time up to 5 s. A quiet time lets it begin anew.
type backoff struct {
	last  time.Time
	delay time.Duration
}

const (
	firstDelay   = 500 * time.Millisecond
	longestDelay = 5 * time.Second
)

// left returns how long the next attempt has to wait.
func (b *backoff) left(now time.Time) time.Duration {
	return max(0, b.last.Add(b.delay).Sub(now))
}

// tried notes an attempt.
func (b *backoff) tried(now time.Time) {
	if now.Sub(b.last) > 2*longestDelay {
		b.delay = 0
	}
	b.last = now
	b.delay = min(max(2*b.delay, firstDelay), longestDelay)
}
