package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// A capture is a program that captures from the interface b.
type capture interface {
	// cpu returns the CPU time that the process has used so far.
	cpu() (time.Duration, error)
	// settled reports whether all of so many packets were captured or lost.
	// Asking costs next to nothing.
	settled(ctx context.Context, packets uint64) (bool, error)
	// counts returns the packets that were captured and those that were lost,
	// as the program itself says.
	counts(ctx context.Context) (captured, lost uint64, err error)
	stop()
}

// settle returns when a program has dealt with all of so many packets, or after
// a long time.
func settle(ctx context.Context, c capture, packets uint64) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if done, err := c.settled(ctx, packets); done || err != nil {
			return err
		}
	}
	return nil
}

// counting is mapid with a flow that counts.
type counting struct {
	*daemon
	counter *mapi.Function
	last    uint64 // what settled has seen
	since   time.Time
}

func (b *bench) startCounting(ctx context.Context) (capture, error) {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return nil, err
	}
	counter, err := flow(ctx, d.client, testnet.B, "", "PKT_COUNTER")
	if err != nil {
		d.stop()
		return nil, err
	}
	return &counting{daemon: d, counter: counter}, nil
}

// settled reads the counter, and only when that stands still asks for the books,
// which wakes the daemon. The last packets may wait in its ring for two seconds.
func (c *counting) settled(ctx context.Context, packets uint64) (bool, error) {
	const still = 2500 * time.Millisecond
	n, err := c.counter.Uint64()
	if err != nil || n >= packets {
		return true, err
	}
	if n != c.last || c.since.IsZero() {
		c.last, c.since = n, time.Now()
	}
	if time.Since(c.since) < still {
		return false, nil
	}
	captured, lost, err := c.counts(ctx)
	return captured+lost >= packets, err
}

func (c *counting) counts(ctx context.Context) (captured, lost uint64, err error) {
	captured, err = c.counter.Uint64() // first: the books are not behind it
	if err != nil {
		return 0, 0, err
	}
	books, err := c.client.Books(ctx, testnet.B)
	if err == nil && captured+books.Lost() == books.In && !books.Balances() {
		err = fmt.Errorf("%d packets counted, but the books do not balance: %+v", captured, books)
	}
	return captured, books.Lost(), err
}

// String is for errors: which mapid, and all that it knows of its packets.
func (c *counting) String() string {
	books, err := c.client.Books(context.Background(), testnet.B)
	return fmt.Sprintf("%v, books %+v (%v)", c.cmd, books, err)
}

// dumping is a tcpdump that throws away what it captures.
type dumping struct {
	process
	said     *os.File // what it writes to stderr
	captured uint64
	lost     uint64
}

// startDumping starts a tcpdump with a ring as large as that of mapid, and
// returns when it captures.
func startDumping(context.Context) (capture, error) {
	said, stderr, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	d := &dumping{said: said}
	// With the rights that it has: it gives what it writes to the user that it becomes
	// otherwise, and that is /dev/null.
	d.cmd = exec.Command("tcpdump", "-Z", "root", "-i", testnet.B, "-w", "/dev/null", "-s", "0", "-B", "65536")
	d.cmd.Stderr = stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		said.Close()
		return nil, err
	}
	if err := d.await("listening on"); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

func (d *dumping) stop() {
	d.process.stop()
	d.said.Close()
}

func (d *dumping) settled(_ context.Context, packets uint64) (bool, error) {
	err := d.ask()
	return d.captured+d.lost >= packets, err
}

func (d *dumping) counts(context.Context) (captured, lost uint64, err error) {
	err = d.ask()
	return d.captured, d.lost, err
}

func (d *dumping) String() string { return "tcpdump" }
