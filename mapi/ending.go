package mapi

import (
	"context"
	"sync"

	"gomapi/internal/wire"
)

// ending records the ends of a device. A device may end more than once: a live
// device that failed is reopened for the next flow.
type ending struct {
	mu    sync.Mutex
	times int           // number of ends so far
	next  chan struct{} // closed at the next end
	err   error         // of the last end
}

// ending returns the state of the device with this name.
func (l *link) ending(device string) *ending {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.devices[device]
	if !ok {
		e = &ending{next: make(chan struct{})}
		l.devices[device] = e
	}
	return e
}

// event handles a message that is not a response.
func (l *link) event(resp *wire.Response) {
	ended := resp.GetDeviceEnded()
	if ended == nil {
		return // from a later version of the protocol
	}
	e := l.ending(ended.Device)
	e.mu.Lock()
	defer e.mu.Unlock()
	if ended.Fd == 0 { // else only a flow has ended, whose waiters look at its state
		e.err = nil
		if ended.Error != nil {
			e.err = remoteError(ended.Error)
		}
		e.times++
	}
	close(e.next)
	e.next = make(chan struct{})
}

// wait waits until done returns true or gone is closed. It calls done at once
// and after each end of the device or of a flow on it, with the number of ends of
// the device so far. It returns
// the error of the last end, and why it stopped waiting early.
func (e *ending) wait(ctx context.Context, l *link, gone <-chan struct{}, done func(times int) bool) (last, err error) {
	for {
		e.mu.Lock()
		next, last, times := e.next, e.err, e.times
		e.mu.Unlock()
		if done(times) {
			return last, nil
		}
		select {
		case <-next:
		case <-gone:
			return nil, nil
		case <-l.lost:
			return nil, l.err()
		case <-ctx.Done():
			return nil, gaveUp("gave up waiting for the end of the device", ctx)
		}
	}
}
