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

// entriesAhead is how many entries of series may wait to be printed, besides those
// that wait in the daemon's memory.
const entriesAhead = 1024

// An entry is one of a series.
type entry struct {
	from   *applied
	result mapi.Result
}

// follow prints until the device or ctx ends: entries as they come, on a live
// device also results each interval. The error says what ended it, nil at the end of
// the file.
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
	var end error // the readers have the rest to read then
	work.Go(func() { end = a.flow.Wait(ctx) })
	go func() {
		work.Wait()
		close(entries)
	}()
	if err := a.show(entries); err != nil {
		cancel(err)
	}
	for range entries { // until all are done
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return end
}

// buffer reports whether packets are taken from the function.
func (f *applied) buffer() bool { return f.fn.Kind() == mapi.KindPackets }

// series reports whether entries are read from the function.
func (f *applied) series() bool { return f.fn.Kind() == mapi.KindSeries }

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
			if err := ctx.Err(); err != nil { // Next is not told while packets wait
				return err
			}
			continue
		}
		select {
		case entries <- entry{f, r}:
		case <-ctx.Done():
			f.unread++
			return ctx.Err()
		}
	}
}

// tellMissing says what a live device has lost, and what waits to be taken when
// nobody does any more; of a file, which packets lack their times.
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

// leave counts the entries of a series that wait. More may come all the time.
func (f *applied) leave() {
	const most = 1 << 16
	for f.unread < most {
		if _, more, err := f.fn.TryReadNext(); !more || err != nil {
			return
		}
		f.unread++
	}
}

// show prints until there are no more entries.
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

// printResults prints the results of all functions that have one.
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

// read returns the result of a function and when it was read; 6146 for one that has
// none.
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
