package mapi

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"gomapi/internal/ring"
)

// The result of some functions (BUCKET, THRESHOLD, HASHSAMP that keeps samples)
// is a series: entries that are read in order, each once. A slow reader misses
// the oldest entries. Lost counts these, and the entries that the function
// itself dropped.

// ReadNext waits for the next entry of a series, or the next record, and returns it. For other
// functions it is Read. Only one goroutine at a time may read a function. The
// error is io.EOF when the device has ended and all entries were read; other
// errors are those of Next and Read.
func (fn *Function) ReadNext(ctx context.Context) (Result, error) {
	if !fn.inOrder() {
		return fn.readNow()
	}
	if err := fn.started(); err != nil {
		return Result{}, fn.failRead(err)
	}
	p, err := fn.buffer.Next(ctx)
	if err != nil {
		return Result{}, fn.failRead(fn.bufferError(ctx, err))
	}
	return fn.entry(p), nil
}

// TryReadNext is ReadNext without waiting: if there is no entry now, it returns
// false and no error.
func (fn *Function) TryReadNext() (Result, bool, error) {
	if !fn.inOrder() {
		r, err := fn.readNow()
		return r, err == nil, err
	}
	if err := fn.started(); err != nil {
		return Result{}, false, fn.failRead(err)
	}
	p, ok, err := fn.buffer.TryNext()
	switch {
	case err != nil:
		return Result{}, false, fn.failRead(fn.bufferError(context.Background(), err))
	case !ok && fn.flow.link.err() != nil:
		return Result{}, false, fn.failRead(fn.flow.link.err())
	case !ok:
		return Result{}, false, nil
	}
	return fn.entry(p), true, nil
}

// Results returns the entries of a series, or the records, as they arrive, until the device
// ends. If there is an error, the last pair carries it.
func (fn *Function) Results(ctx context.Context) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		for {
			r, err := fn.ReadNext(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (fn *Function) isSeries() bool { return fn.buffer != nil && fn.buffer.entry > 0 }

// inOrder reports whether entries or records are read from the function.
func (fn *Function) inOrder() bool { return fn.isSeries() || fn.hasRecords() }

// started returns why nothing can be taken from the flow, nil if something can.
func (fn *Function) started() error {
	switch {
	case fn.flow.state() == FlowInit:
		return fn.flow.errNotConnected()
	case fn.flow.closed.Load():
		return errClosed(fn.flow.fd)
	}
	return nil
}

// entry copies an entry that the next read would overwrite. It does not copy a record.
func (fn *Function) entry(p ring.Packet) Result {
	if fn.hasRecords() {
		return record(p)
	}
	data := p.Data[:min(fn.buffer.entry, len(p.Data))]
	return Result{Res: append([]byte(nil), data...), TS: uint64(time.Now().UnixMicro())}
}

func (fn *Function) failRead(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fn.fail(err)
}
