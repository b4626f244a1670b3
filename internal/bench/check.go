package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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

// errSlow says that something has taken too long.
var errSlow = errors.New("too slow")

// parallel calls f for each number below n, from so many goroutines. The first that
// fails ends the part.
func parallel(n, goroutines int, f func(i int)) {
	var next atomic.Int64
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			err := catch(func() {
				for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
					f(i)
				}
			})
			if err != nil {
				once.Do(func() { failed = err })
				next.Store(int64(n)) // nobody begins another
			}
		})
	}
	wg.Wait()
	check(failed)
}
