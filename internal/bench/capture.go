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
	// settle returns when all of so many packets have been dealt with, or
	// nothing has happened for long.
	settle(packets uint64) error
	// counts returns the packets that were captured and those that were lost,
	// as the program itself says.
	counts(ctx context.Context) (captured, lost uint64, err error)
	stop()
}

// still is how long nothing has to happen until nothing more is expected: a
// packet waits in a ring for a second at most.
const still = 3 * time.Second

// counting is mapid with a flow that counts.
type counting struct {
	*daemon
	counter *mapi.Function
}

func (b *bench) startCounting(ctx context.Context, line string) (capture, error) {
	d, err := b.startDaemon(ctx, line)
	if err != nil {
		return nil, err
	}
	counter, err := flow(ctx, d.client, testnet.B, "", "PKT_COUNTER")
	if err != nil {
		d.stop()
		return nil, err
	}
	return &counting{d, counter}, nil
}

func (c *counting) settle(packets uint64) error {
	last, since := uint64(0), time.Now()
	for {
		n, err := c.counter.Uint64()
		if err != nil || n >= packets {
			return err
		}
		if n != last {
			last, since = n, time.Now()
		} else if time.Since(since) > still {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}

func (c *counting) counts(ctx context.Context) (captured, lost uint64, err error) {
	captured, err = c.counter.Uint64()
	if err != nil {
		return 0, 0, err
	}
	books, err := c.client.Books(ctx, testnet.B)
	if err != nil {
		return 0, 0, err
	}
	if !books.Balances() || books.Moved != 0 || books.In != captured+books.Lost() {
		return 0, 0, fmt.Errorf("mapid counts %d packets; its books do not balance: %+v", captured, books)
	}
	return captured, books.Lost(), nil
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
	d.cmd = exec.Command("tcpdump", "-i", testnet.B, "-w", "/dev/null", "-s", "0", "-B", "65536")
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

// settle asks tcpdump from time to time: the last packets wait a second in its
// ring.
func (d *dumping) settle(packets uint64) error {
	last, since := uint64(0), time.Now()
	for {
		if err := d.ask(); err != nil || d.captured+d.lost >= packets {
			return err
		}
		if d.captured != last {
			last, since = d.captured, time.Now()
		} else if time.Since(since) > still {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *dumping) counts(context.Context) (captured, lost uint64, err error) {
	return d.captured, d.lost, d.ask()
}
