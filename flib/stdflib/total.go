package stdflib

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/mapi/result"
)

// total is the result of a function that adds up. It is stored only where programs read
// it: with ten thousands of flows, each additional place in memory costs time.
type total struct{ sum *atomic.Uint64 }

func newTotal(env flib.Env) (total, error) {
	out, err := env.NewResult(result.CounterSize)
	if err != nil {
		return total{}, err
	}
	return total{out.Word()}, nil
}

// Total implements flib.Accumulator.
func (t total) Total() *atomic.Uint64 { return t.sum }

func (t total) Reset() { t.sum.Store(0) }
