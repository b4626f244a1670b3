package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A failure ends a part: check panics with it, catch makes an error of it.
type failure struct{ error }

func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// must returns v, unless err ends the part.
func must[T any](v T, err error) T {
	check(err)
	return v
}

// fail ends the part.
func fail(format string, args ...any) { check(fmt.Errorf(format, args...)) }

// catch returns the error that has ended f.
func catch(f func()) (err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case failure:
			err = e.error
		default:
			panic(e)
		}
	}()
	f()
	return nil
}

// parallel calls f for each number below n, from so many goroutines at most. One that
// fails calls it no more; in the end the part fails.
func parallel(n, goroutines int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, min(n, goroutines))
	for g := range errs {
		wg.Go(func() {
			errs[g] = catch(func() {
				for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
					f(i)
				}
			})
		})
	}
	wg.Wait()
	check(errors.Join(errs...))
}

// poll asks whether something is done until it is, or some time has passed.
func poll(limit, every time.Duration, done func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(every) {
		if done() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
