package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"gomapi/internal/books"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// mapiCrew is a mapid and processes that take packets from it.
type mapiCrew struct {
	daemon  *daemon
	readers []*readerProcess
}

// A readerProcess is a program of internal/bench/reader.
type readerProcess struct {
	process
	questions io.WriteCloser
	answers   *bufio.Scanner
}

// startMapiCrew starts a process with each of these arguments and returns when all are
// connected.
func (b *bench) startMapiCrew(ctx context.Context, args [][]string) (*mapiCrew, error) {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return nil, err
	}
	c := &mapiCrew{daemon: d}
	for _, a := range args {
		r, err := startReader(b.reader(), append([]string{"-socket", d.socket, "-device", testnet.B}, a...))
		if err != nil {
			c.stop()
			return nil, err
		}
		c.readers = append(c.readers, r)
	}
	for i, r := range c.readers {
		if !r.answers.Scan() || r.answers.Text() != "ready" {
			c.stop()
			return nil, fmt.Errorf("program %d of %d does not start (%q, %v)", i+1, len(args), r.answers.Text(), r.answers.Err())
		}
	}
	if err := settled(ctx, d.client, testnet.B); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func startReader(path string, args []string) (*readerProcess, error) {
	r := &readerProcess{process: process{exec.Command(path, args...)}}
	r.cmd.Stderr = os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if r.questions, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	r.answers = bufio.NewScanner(out)
	return r, r.cmd.Start()
}

// stop ends the programs, then mapid.
func (c *mapiCrew) stop() {
	var wg sync.WaitGroup
	for _, r := range c.readers {
		r.questions.Close()
		wg.Go(func() { _ = r.cmd.Wait() })
	}
	wg.Wait()
	c.daemon.stop()
}

func (c *mapiCrew) cpu() (time.Duration, error) {
	sum, err := cpuOfTree(c.daemon.pid())
	for _, r := range c.readers {
		used, e := r.cpu()
		if e != nil {
			err = e
		}
		sum += used
	}
	return sum, err
}

// ask waits until mapid's books have all packets and the programs what they must, or
// a long time.
func (c *mapiCrew) ask(ctx context.Context, all account) ([]answer, error) {
	deadline := time.Now().Add(patience)
	lost, err := c.daemon.dealtWith(ctx, all.arrived, deadline)
	if err != nil {
		return nil, err
	}
	for ; ; time.Sleep(20 * time.Millisecond) {
		answers, done, err := c.askOnce(lost, all)
		if err != nil || done || time.Now().After(deadline) {
			return answers, err
		}
	}
}

func (c *mapiCrew) askOnce(lost uint64, all account) (answers []answer, done bool, err error) {
	done = true
	for i, r := range c.readers {
		if _, err := io.WriteString(r.questions, "\n"); err != nil {
			return nil, false, err
		}
		if !r.answers.Scan() {
			return nil, false, fmt.Errorf("program %d does not answer (%v)", i+1, r.answers.Err())
		}
		a := answer{lost: lost}
		var full uint64 // lost because its buffer was full
		if _, err := fmt.Sscan(r.answers.Text(), &a.found, &full); err != nil {
			return nil, false, fmt.Errorf("program %d says %q: %w", i+1, r.answers.Text(), err)
		}
		a.lost += full
		done = done && a.found+a.lost+all.missing >= all.want[i]
		answers = append(answers, a)
	}
	return answers, done, nil
}

// dealtWith waits until a daemon has dealt with all of so many packets of the
// interface and returns how many it has lost. It returns errSlow when some wait at the
// deadline.
func (d *daemon) dealtWith(ctx context.Context, packets uint64, deadline time.Time) (lost uint64, err error) {
	for ; ; time.Sleep(20 * time.Millisecond) {
		b, err := d.client.Books(ctx, testnet.B)
		if err != nil {
			return 0, err
		}
		rest := b.Moved == 0 && waiting(b) == 0
		if rest && b.In == packets && b.Balances() {
			return b.Lost(), nil
		}
		if !time.Now().After(deadline) {
			continue
		}
		if !rest {
			return 0, errSlow
		}
		return 0, fmt.Errorf("%d packets have arrived, the books say %+v", packets, b)
	}
}

// waiting returns how many packets wait in a ring.
func waiting(b mapi.Books) (n uint64) {
	for _, l := range b.Out {
		if l.Name == books.Waiting {
			n += l.Value
		}
	}
	return n
}
