package nic

import (
	"context"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A wake ends a wait from another goroutine. It is an eventfd (eventfd(2)).
type wake struct {
	fd   int
	done atomic.Bool // checked between batches, without a wait
}

func (w *wake) open() (err error) {
	w.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	return err
}

func (w *wake) close() { closeFD(&w.fd) }

func (w *wake) stopped() bool { return w.done.Load() }

// watch calls wake when ctx ends. The returned function ends the watch, and
// waits for the goroutine that context.AfterFunc may have started.
func (w *wake) watch(ctx context.Context) (release func()) {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		w.done.Store(true)
		one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any number except 0 wakes
		// A write fails only if the counter is full, and a full counter wakes
		// too.
		_, _ = unix.Write(w.fd, one[:])
	})
	return func() {
		if !stop() {
			<-woken
		}
	}
}
