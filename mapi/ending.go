package mapi

import (
	"context"
	"sync"

	"gomapi/internal/wire"
)

// ending tells when a device has ended. It may do so more than once: a live
// device that failed is opened anew for the next flow.
type ending struct {
	mu    sync.Mutex
	times int           // so far
	next  chan struct{} // closed at the next end
	err   error         // of the last end
}

// ending returns the state of the device of that name.
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

// event takes a message that is no response.
func (l *link) event(resp *wire.Response) {
	ended := resp.GetDeviceEnded()
	if ended == nil {
		return // of a later version of the protocol
	}
	e := l.ending(ended.Device)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = nil
	if ended.Error != nil {
		e.err = remoteError(ended.Error)
	}
	e.times++
	close(e.next)
	e.next = make(chan struct{})
}

// wait returns when done says so, which is asked now and after each end of the
// device, with how often it has ended, or when gone is closed. It returns the
// error of the last end, and why it gave up waiting.
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
