package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

// A sink writes lines to one destination. Only one goroutine uses it.
type sink interface {
	write(level logrus.Level, line []byte) error
}

// An outlet has a goroutine that passes messages to a sink, so that a full
// disk, a held lock or a stopped reader never blocks the daemon. It drops and
// counts messages that cannot be written, and logs their number when writes
// succeed again. It reports the first failure through complain.
type outlet struct {
	sink   sink
	format lineFormatter
	levels []logrus.Level
	// The goroutine calls complain once. It may be nil.
	complain func(error)
	queue    chan message
	stop     chan struct{} // closed by logger.Close
	done     chan struct{} // closed by the goroutine
	lost     atomic.Uint64 // messages dropped since the last one was written
}

type message struct {
	level logrus.Level
	line  []byte
}

const (
	queueLength = 1024                   // messages queued for a sink
	userLength  = queueLength / 2        // a message that a user has caused finds at most so many
	closeWait   = 500 * time.Millisecond // bound for sinks that hang
)

func newOutlet(s sink, f lineFormatter, levels []logrus.Level, complain func(error)) *outlet {
	o := &outlet{
		sink:     s,
		format:   f,
		levels:   levels,
		complain: complain,
		queue:    make(chan message, queueLength),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	go o.run() // logger.Close waits for it
	return o
}

// Levels implements logrus.Hook.
func (o *outlet) Levels() []logrus.Level { return o.levels }

// Fire implements logrus.Hook. It never waits and never fails. Messages with the field uid are caused
// by users: they leave room for others.
func (o *outlet) Fire(e *logrus.Entry) error {
	if _, user := e.Data["uid"]; user && len(o.queue) >= userLength {
		o.lost.Add(1)
		return nil
	}
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

// drain writes the remaining messages when the daemon ends.
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
	if !o.sayLost() || !o.write(m.level, m.line) {
		o.lost.Add(1)
	}
}

// write reports whether the sink accepted the line.
func (o *outlet) write(level logrus.Level, line []byte) bool {
	err := o.sink.write(level, line)
	if err != nil && o.complain != nil {
		o.complain(err)
		o.complain = nil
	}
	return err == nil
}

// sayLost writes how many messages are missing at this point, if any. It
// returns false if this write fails too.
func (o *outlet) sayLost() bool {
	n := o.lost.Load()
	if n == 0 {
		return true
	}
	e := &logrus.Entry{Level: logrus.WarnLevel, Time: time.Now(),
		Message: fmt.Sprintf("%d messages were lost: they could not be written", n)}
	line, _ := o.format.Format(e)
	if !o.write(e.Level, line) {
		return false
	}
	o.lost.Add(-n)
	return true
}
