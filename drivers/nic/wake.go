package nic

import (
	"context"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A wake ends a wait from another goroutine: an eventfd (eventfd(2)) beside the
// socket.
type wake struct {
	fd   int
	done atomic.Bool // looked at between batches, when nobody waits
}

func (w *wake) open() (err error) {
	w.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	return err
}

func (w *wake) close() { closeFD(&w.fd) }

func (w *wake) stopped() bool { return w.done.Load() }

// watch ends the wait when ctx ends. The function it returns ends that, and
// waits for the goroutine that context.AfterFunc may have started.
func (w *wake) watch(ctx context.Context) (release func()) {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		w.done.Store(true)
		one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any number but 0 wakes
		// It fails only when the counter is full, and then it wakes, too.
		_, _ = unix.Write(w.fd, one[:])
	})
	return func() {
		if !stop() {
			<-woken
		}
	}
}
