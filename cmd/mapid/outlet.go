package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

// A sink writes lines to one place. It is used by one goroutine.
type sink interface {
	write(level logrus.Level, line []byte) error
}

// An outlet hands messages to a sink on a goroutine of its own, so that a full
// disk, a lock that is held, or a reader that stopped never holds up the
// daemon. What cannot be written is dropped and counted; when writing works
// again the number is said once.
type outlet struct {
	sink   sink
	format lineFormatter
	levels []logrus.Level
	queue  chan message
	stop   chan struct{} // closed by close
	done   chan struct{} // closed by the goroutine
	lost   atomic.Uint64 // messages dropped since the last one was written
}

type message struct {
	level logrus.Level
	line  []byte
}

const (
	queueLength = 1024            // messages that wait for their sink
	closeWait   = 2 * time.Second // for a sink that may never come back
)

func newOutlet(s sink, f lineFormatter, levels []logrus.Level) *outlet {
	o := &outlet{
		sink:   s,
		format: f,
		levels: levels,
		queue:  make(chan message, queueLength),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
	}
	go o.run() // close waits for it
	return o
}

// Levels implements logrus.Hook.
func (o *outlet) Levels() []logrus.Level { return o.levels }

// Fire implements logrus.Hook. It never waits and never fails.
func (o *outlet) Fire(e *logrus.Entry) error {
	line, _ := o.format.Format(e)
	select {
	case o.queue <- message{e.Level, line}:
	default:
		o.lost.Add(1)
	}
	return nil
}

func (o *outlet) run() {
	defer close(o.done)
	for {
		select {
		case m := <-o.queue:
			o.put(m)
		case <-o.stop:
			o.drain()
			return
		}
	}
}

// drain writes what is left when the daemon ends.
func (o *outlet) drain() {
	for {
		select {
		case m := <-o.queue:
			o.put(m)
		default:
			o.sayLost()
			return
		}
	}
}

func (o *outlet) put(m message) {
	if !o.sayLost() || o.sink.write(m.level, m.line) != nil {
		o.lost.Add(1)
	}
}

// sayLost writes how many messages are missing at this place, if any. It
// returns false when that cannot be written either.
func (o *outlet) sayLost() bool {
	n := o.lost.Load()
	if n == 0 {
		return true
	}
	e := &logrus.Entry{Level: logrus.WarnLevel, Time: time.Now(),
		Message: fmt.Sprintf("%d messages could not be written and are lost", n)}
	line, _ := o.format.Format(e)
	if o.sink.write(e.Level, line) != nil {
		return false
	}
	o.lost.Add(-n)
	return true
}

// close writes what is queued and waits for the goroutine, but not for long: a
// write that hangs cannot be interrupted and ends with the process.
func (o *outlet) close() {
	close(o.stop)
	select {
	case <-o.done:
	case <-time.After(closeWait):
	}
}
