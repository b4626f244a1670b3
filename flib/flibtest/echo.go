package flibtest

import (
	"context"
	"math"
	"slices"
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/books"
)

// second is a second of packet time.
const second = 1 << 32

var echoDef = flib.Def{
	Name: "ECHO", Description: "Takes packets and emits each of them twice, a second later.", Emits: true,
	New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) { return &echo{}, nil },
}

// echo shows the contracts of time and emission.
type echo struct {
	queue []flib.Packet // held, oldest first
	gone  int           // packets of queue that the last list has emitted
	out   []*flib.Packet
	held  atomic.Int64
	taken atomic.Uint64
}

func (e *echo) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		c := *p
		c.Link = slices.Clone(p.Link)
		e.queue = append(e.queue, c)
	}
	e.taken.Add(uint64(len(in)))
	e.held.Add(int64(len(in)))
	return nil
}

func (e *echo) Deadline() uint64 {
	if e.gone == len(e.queue) {
		return flib.NoDeadline
	}
	return min(e.queue[e.gone].TS, flib.NoDeadline-second) + second
}

func (e *echo) Expire(now uint64) []*flib.Packet { return e.emit(now - min(now, second)) }

func (e *echo) End() []*flib.Packet { return e.emit(math.MaxUint64) }

// emit emits the packets that are not newer than until. A list is valid until the next call, so
// the packets stay in the queue until then.
func (e *echo) emit(until uint64) []*flib.Packet {
	e.queue = slices.Delete(e.queue, 0, e.gone)
	e.out, e.gone = e.out[:0], 0
	for e.gone < len(e.queue) && e.queue[e.gone].TS <= until && len(e.out)+2 <= flib.MaxList {
		p := &e.queue[e.gone]
		e.out, e.gone = append(e.out, p, p), e.gone+1
	}
	e.held.Add(-int64(e.gone))
	return e.out
}

// Books implements flib.CounterSource: what was taken is either held or done with.
func (e *echo) Books() (out, notes []books.Line) {
	held := uint64(e.held.Load())
	return []books.Line{{Name: books.Taken, Value: e.taken.Load() - held}, {Name: books.Held, Value: held}}, nil
}
