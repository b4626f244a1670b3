package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gomapi/mapi"
)

const (
	// minInterval is the shortest time between two lines.
	minInterval = 10 * time.Millisecond
	// limitPoll is how often the counter is compared with --count. A read of
	// the counter takes nanoseconds.
	limitPoll = 10 * time.Millisecond
)

// runDevice counts on a live device until ctx ends, the limit is reached or the
// device fails.
func (c *counting) runDevice(ctx context.Context, client *mapi.Client) error {
	flow, err := c.openDevice(ctx, client, c.device, "counting")
	if err != nil {
		return err
	}
	c.flow, c.device = flow, flow.Device()
	before := losses(ctx, client, c.device)
	if err := c.startFlow(ctx); err != nil {
		return err
	}
	now, err := c.watch(ctx)
	defer c.countLosses(ctx, client, before)
	if errors.Is(err, errClosedOutput) {
		return err
	}
	if err := c.printTotal(now, false); err != nil {
		return err
	}
	switch ctx.Err() {
	case context.Canceled:
		return errPartial
	case context.DeadlineExceeded:
		return nil
	}
	return err
}

// watch prints a line each interval. It returns the last reading and the error
// that ended it, nil if the limit was reached.
func (c *counting) watch(ctx context.Context) (reading, error) {
	ctx, cancel := context.WithCancel(ctx)
	var failure error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failure = c.flow.Wait(ctx)
	}()
	now, err := c.follow(ended)
	cancel()
	<-ended
	if err != nil || c.enough(now) {
		return now, err
	}
	if failure == nil {
		failure = fmt.Errorf("the device %s has ended", c.device)
	}
	return now, failure
}

// follow prints until ended is closed or the limit is reached.
func (c *counting) follow(ended <-chan struct{}) (now reading, err error) {
	if err := c.printHead(); err != nil {
		return now, err
	}
	now = c.zero()
	printed := now
	line := time.NewTicker(c.interval)
	defer line.Stop()
	var poll <-chan time.Time
	if c.limit > 0 {
		t := time.NewTicker(limitPoll)
		defer t.Stop()
		poll = t.C
	}
	for more := true; more && err == nil && !c.enough(now); {
		due := false
		select {
		case <-ended:
			more = false
		case <-poll:
		case <-line.C:
			due = true
		}
		if now, err = c.read(now); due && err == nil {
			err = c.printLine(printed, now)
			printed = now
		}
	}
	return now, err
}

func (c *counting) enough(now reading) bool {
	return c.limit > 0 && now.packets.value >= c.limit
}

// countLosses prints, after the total, the packets that the total lacks.
func (c *counting) countLosses(ctx context.Context, client *mapi.Client, before map[string]uint64) {
	ctx, cancel := lastQuestions(ctx, reportTime)
	defer cancel()
	c.tellLosses(ctx, client, c.device, before)
}
