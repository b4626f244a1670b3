package ring

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Next waits for the next packet. The bytes are valid until the next reading call. It
// makes a system call only if it has to wait. Errors: io.EOF after the end of a trace,
// and ErrGone if the daemon has ended or closed the ring (both after the last packet);
// the error of ctx if ctx ends first; ErrBusy if another goroutine is reading;
// ErrCorrupt; os.ErrClosed.
func (r *Reader) Next(ctx context.Context) (p Packet, err error) {
	if err := r.enter(); err != nil {
		return Packet{}, err
	}
	defer r.leave()
	for {
		if ok, err := r.take(&p); ok || err != nil {
			return p, err
		}
		if err := r.sleep(ctx); err != nil {
			return Packet{}, err
		}
	}
}

// NextBatch waits for packets and fills dst with those that are available, at least one.
// All their bytes are valid until the next reading call; until then the writer has only
// the rest of the ring. Errors are as in Next and come without packets.
func (r *Reader) NextBatch(ctx context.Context, dst []Packet) (int, error) {
	if err := r.enter(); err != nil {
		return 0, err
	}
	defer r.leave()
	for len(dst) > 0 {
		if n, err := r.fill(dst); n > 0 || err != nil {
			return n, err
		}
		if err := r.sleep(ctx); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// fill takes the available packets. An error after packets is returned again by the next
// call.
func (r *Reader) fill(dst []Packet) (int, error) {
	for i := range dst {
		if ok, err := r.take(&dst[i]); !ok {
			if i > 0 {
				err = nil
			}
			return i, err
		}
	}
	return len(dst), nil
}

// sleep tells the writer that the reader sleeps, and waits. nil means that the caller
// must look again, not that there is a packet.
func (r *Reader) sleep(ctx context.Context) error {
	r.release()
	r.page.sleep.Add(1)
	defer r.page.sleep.Add(1)
	// The writer stores the position and then loads sleep, so at least one side sees the
	// other's store.
	if r.loadPosition() || r.endReason() != nil {
		return nil
	}
	if r.Idle == nil {
		return r.listen(ctx)
	}
	again, err := r.Idle() // called after the announcement too
	switch {
	case err != nil:
		return err
	case again == 0:
		return r.listen(ctx)
	}
	short, cancel := context.WithTimeout(ctx, again)
	defer cancel()
	if err := r.listen(short); err != nil && (ctx.Err() != nil || short.Err() == nil) {
		return err
	}
	return nil
}

// past is a deadline that ends a read at once.
var past = time.Unix(1, 0)

// listen blocks until the writer sends something, ctx ends, or either side is closed.
func (r *Reader) listen(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.conn.SetReadDeadline(time.Time{}); err != nil {
		return os.ErrClosed
	}
	if ctx.Done() != nil {
		defer r.watch(ctx)()
	}
	_, err := r.conn.Read(r.wakeBytes[:])
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ctx.Err()
	case errors.Is(err, net.ErrClosed):
		return os.ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET):
		r.hup = true // look once more for packets from before
		return nil
	}
	return err
}

// watch ends the read when ctx ends. The returned function stops this. It waits for a
// deadline that is being set, so that it cannot affect a later read.
func (r *Reader) watch(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = r.conn.SetReadDeadline(past) // fails only if closed, which ends the read too
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}
