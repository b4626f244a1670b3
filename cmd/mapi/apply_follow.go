package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"gomapi/mapi"
)

// entriesAhead is how many series entries may wait to be printed, in addition
// to those that wait in the daemon's memory.
const entriesAhead = 1024

// An entry is one entry of a series.
type entry struct {
	from   *applied
	result mapi.Result
}

// follow prints until the device or ctx ends: entries as they arrive and, on a
// live device, results each interval. It returns what ended it, nil at the end
// of the file.
func (a *applying) follow(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	entries := make(chan entry, entriesAhead)
	var work sync.WaitGroup
	for _, f := range a.functions {
		if !f.buffer() && !f.series() {
			continue
		}
		work.Go(func() {
			if err := f.take(ctx, entries); err != nil {
				cancel(err)
			}
		})
	}
	var end error // the readers still have to read the rest
	work.Go(func() { end = a.flow.Wait(ctx) })
	go func() {
		work.Wait()
		close(entries)
	}()
	if err := a.show(entries); err != nil {
		cancel(err)
	}
	for range entries { // until all readers are done
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return end
}

// buffer reports whether packets are taken from the function.
func (f *applied) buffer() bool { return f.fn.Kind() == mapi.KindPackets }

// series reports whether entries or records are read from the function.
func (f *applied) series() bool {
	k := f.fn.Kind()
	return k == mapi.KindSeries || k == mapi.KindRecords
}

// take reads packets or entries until they or ctx end.
func (f *applied) take(ctx context.Context, entries chan<- entry) error {
	for {
		var r mapi.Result
		var err error
		if f.buffer() {
			_, err = f.fn.Next(ctx)
		} else {
			r, err = f.fn.ReadNext(ctx)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case f.buffer():
			f.taken.Add(1)
			if err := ctx.Err(); err != nil { // Next does not check ctx while packets wait
				return err
			}
			continue
		}
		if f.fn.Kind() == mapi.KindRecords {
			r = r.Clone() // the next read overwrites it
		}
		select {
		case entries <- entry{f, r}:
		case <-ctx.Done():
			f.unread++
			return ctx.Err()
		}
	}
}

// tellMissing reports the losses of a live device and the packets and entries
// that remain unread. For a file it reports packets without timestamps.
func (a *applying) tellMissing(ctx context.Context, client *mapi.Client) {
	if a.file != "" {
		a.tellTimes(ctx, client, a.flow.Device())
		return
	}
	ctx, cancel := lastQuestions(ctx, reportTime/2)
	defer cancel()
	for _, f := range a.functions {
		if f.series() {
			f.leave()
		}
		if !f.buffer() {
			continue
		}
		if n := left(ctx, f.fn, f.taken.Load()); n > 0 {
			fmt.Fprintf(a.stderr, "mapi: function %d: %d packets left in the buffer\n", f.number, n)
		}
	}
	a.tellLosses(ctx, client, a.flow.Device(), a.before)
}

// leave counts the unread entries of a series. New entries may arrive
// meanwhile.
func (f *applied) leave() {
	const most = 1 << 16
	for f.unread < most {
		if _, more, err := f.fn.TryReadNext(); !more || err != nil {
			return
		}
		f.unread++
	}
}

// show prints entries until the channel is closed.
func (a *applying) show(entries <-chan entry) error {
	var due <-chan time.Time
	if a.file == "" {
		t := time.NewTicker(a.interval)
		defer t.Stop()
		due = t.C
	}
	for {
		var err error
		select {
		case e, more := <-entries:
			if !more {
				return a.out.Flush()
			}
			if err = a.print(e.from, time.Time{}, e.from.view(e.result.Res)); err == nil && len(entries) == 0 {
				err = a.out.Flush()
			}
		case <-due:
			err = a.printResults()
		}
		if err != nil {
			return err
		}
	}
}

// printResults prints the results of all functions that have a result.
func (a *applying) printResults() error {
	for _, f := range a.functions {
		v, at, err := f.read()
		switch {
		case is(err, mapi.ErrNoResult):
			continue
		case err != nil:
			return err
		}
		if a.file != "" {
			at = time.Time{}
		}
		if err := a.print(f, at, v); err != nil {
			return err
		}
	}
	return a.out.Flush()
}

// read returns the result of a function and the time of the read, or error 6146
// for a function without a result.
func (f *applied) read() (view, time.Time, error) {
	switch {
	case f.series():
		return nil, time.Time{}, mapi.ErrNoResult
	case f.buffer():
		lost, err := f.fn.Lost()
		return buffered{f.taken.Load(), lost}, time.Now(), err
	}
	r, err := f.fn.Read()
	return f.view(r.Res), r.Time(), err
}
