package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gomapi/internal/testnet"
)

// pcapCrew is processes that use libpcap.
type pcapCrew struct {
	process
	questions io.WriteCloser
	answers   *bufio.Scanner
	pids      []int
	filtered  bool // in the kernel: a program sees what it is about only
}

// startPcapCrew starts a process for each task and returns when all capture. Their
// rings have 64 MiB together, as that of mapid, and each the 2 MiB of libpcap's
// programs at least.
func (b *bench) startPcapCrew(tasks []string) (*pcapCrew, error) {
	ring := max(2<<20, 64<<20/len(tasks))
	c := &pcapCrew{filtered: tasks[0][0] == 'f'}
	c.cmd = exec.Command(b.programs(), "live", testnet.B, strconv.Itoa(ring), strconv.Itoa(len(tasks)))
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.questions, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.answers = bufio.NewScanner(out)
	_, err = io.WriteString(c.questions, strings.Join(tasks, "\n")+"\n")
	if err == nil {
		err = c.ready()
	}
	if err == nil {
		c.pids, err = treeOf(c.cmd.Process.Pid)
	}
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("%d libpcap programs: %w", len(tasks), err)
	}
	return c, nil
}

func (c *pcapCrew) ready() error {
	if !c.answers.Scan() || c.answers.Text() != "ready" {
		return fmt.Errorf("they do not start (%q, %v)", c.answers.Text(), c.answers.Err())
	}
	return nil
}

// stop ends the processes, whose leader kills the others at the end of its input.
func (c *pcapCrew) stop() {
	c.questions.Close()
	_ = c.cmd.Wait()
}

func (c *pcapCrew) cpu() (time.Duration, error) { return cpuOfAll(c.pids) }

// ask gives up when nothing moves any more although packets are not accounted for.
func (c *pcapCrew) ask(_ context.Context, all account) ([]answer, error) {
	const still = 3 * time.Second
	var last []answer
	moved := time.Now()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		answers, done, err := c.askOnce(all)
		if err != nil || done {
			return answers, err
		}
		if !slices.Equal(answers, last) {
			last, moved = answers, time.Now()
		}
		if time.Since(moved) > still {
			return nil, fmt.Errorf("libpcap programs have not seen all of %d packets, and lost too few: %+v", all.arrived, answers[:min(5, len(answers))])
		}
		if time.Now().After(deadline) {
			return nil, errSlow
		}
	}
}

// askOnce reports besides whether all have dealt with all packets: each was seen or
// lost.
func (c *pcapCrew) askOnce(all account) (answers []answer, done bool, err error) {
	if _, err := io.WriteString(c.questions, "\n"); err != nil {
		return nil, false, err
	}
	done = true
	for i, want := range all.want {
		if !c.answers.Scan() {
			return nil, false, fmt.Errorf("libpcap programs do not answer (%v)", c.answers.Err())
		}
		var pid int
		var a answer
		if _, err := fmt.Sscan(c.answers.Text(), &pid, &a.seen, &a.lost, &a.found); err != nil {
			return nil, false, fmt.Errorf("libpcap programs say %q: %w", c.answers.Text(), err)
		}
		most, least := all.arrived, all.arrived
		if c.filtered {
			most, least = want, want-min(want, all.missing)
		}
		if a.seen+a.lost > most {
			return nil, false, fmt.Errorf("libpcap program %d has seen %d packets and lost %d of %d", i+1, a.seen, a.lost, most)
		}
		done = done && a.seen+a.lost >= least
		answers = append(answers, a)
	}
	return answers, done, nil
}
