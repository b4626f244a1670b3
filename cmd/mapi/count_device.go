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
	// limitPoll is how often the counter is compared with --count. Reading it
	// costs nanoseconds.
	limitPoll = 10 * time.Millisecond
)

// runDevice counts on a live device until ctx ends, enough packets have come or
// the device fails.
func (c *counting) runDevice(ctx context.Context, client *mapi.Client) error {
	if err := c.openDevice(ctx, client); err != nil {
		return err
	}
	if err := c.startFlow(ctx); err != nil {
		return err
	}
	now, err := c.watch(ctx)
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

// openDevice makes the flow on the device that the user names, else on the first
// one that can be opened, with the loopback interface as the last resort.
func (c *counting) openDevice(ctx context.Context, client *mapi.Client) (err error) {
	if c.device != "" {
		c.flow, err = client.CreateFlow(ctx, c.device)
		return err
	}
	names, err := candidates(ctx, client)
	if err != nil {
		return err
	}
	failures := make([]error, 0, len(names))
	for _, name := range names {
		c.flow, err = client.CreateFlow(ctx, name)
		switch {
		case err == nil:
			c.device = name
			for _, f := range failures {
				fmt.Fprintf(c.stderr, "mapi: %s\n", printable(f.Error()))
			}
			fmt.Fprintf(c.stderr, "mapi: counting on %s\n", printable(name))
			return nil
		case ctx.Err() != nil || is(err, mapi.ErrCommInitSocket, mapi.ErrCommSocket):
			return err
		}
		failures = append(failures, err)
	}
	if len(failures) > 0 {
		return failures[0]
	}
	return errors.New("the daemon has no device to count on: see \"mapi info devices\"")
}

// candidates are the live devices that the daemon does not call unavailable.
func candidates(ctx context.Context, client *mapi.Client) (names []string, err error) {
	all, err := client.Devices(ctx)
	if err != nil {
		return nil, err
	}
	last := []string{}
	for _, d := range all {
		switch {
		case d.Status != mapi.DeviceOnline || d.Unavailable != "":
		case d.Device == "lo":
			last = append(last, d.Device)
		default:
			names = append(names, d.Device)
		}
	}
	return append(names, last...), nil
}

// watch prints a line each interval. It returns the last numbers and the error
// that ended it, nil when enough packets have come.
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

// follow prints until ended is closed or enough packets have come.
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
