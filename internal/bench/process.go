package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long a program may take for what it does at once otherwise.
const patience = 10 * time.Second

// command is a program that ends with the context, and (PR_SET_PDEATHSIG) with the
// benchmark.
func (b *bench) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience // before it is killed
	b.commands = append(b.commands, cmd)
	return cmd
}

// awaitEnd waits for the commands that a part has left behind, whose context has ended.
func (b *bench) awaitEnd() {
	for _, cmd := range b.commands {
		_ = cmd.Wait() // a second time it returns an error at once
	}
	b.commands = nil
}

// output runs a command and returns what it writes.
func output(cmd *exec.Cmd) string {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		fail("%v: %w: %s", cmd, err, &said)
	}
	return string(out)
}

// programs capture from the interface, each for itself. They behave as tcpdump(8) does: on
// standard error they say when they listen, and on SIGUSR1 what they have counted.
type programs struct {
	cmds     []*exec.Cmd
	pids     []int
	said     []*bufio.Scanner // on standard error
	end      context.CancelFunc
	filtered bool // in the kernel: a program sees only what it is about
}

// startPrograms starts a program for each task, its last argument, and returns when all listen.
func (b *bench) startPrograms(ctx context.Context, tasks []string,
	path string, args ...string) *programs {
	ctx, end := context.WithCancel(ctx)
	p := &programs{end: end}
	for _, task := range tasks {
		cmd := b.command(ctx, path, append(slices.Clip(args), task)...)
		p.said = append(p.said, bufio.NewScanner(must(cmd.StderrPipe())))
		check(cmd.Start())
		p.cmds, p.pids = append(p.cmds, cmd), append(p.pids, cmd.Process.Pid)
	}
	for i := range tasks {
		p.await(i, "listening on")
	}
	return p
}

// await returns the next line of a program that has this text.
func (p *programs) await(i int, text string) string {
	var last string
	for p.said[i].Scan() {
		if last = p.said[i].Text(); strings.Contains(last, text) {
			return last
		}
	}
	fail("%v ends without %q: %s (%v)", p.cmds[i], text, last, p.said[i].Err())
	return ""
}

func (p *programs) stop() {
	p.end()
	for _, cmd := range p.cmds {
		_ = cmd.Wait()
	}
}

func (p *programs) cpu() time.Duration { return cpuOf(p.pids...) }

// dealt reports whether each program has seen or lost all packets that it must see.
func (p *programs) dealt(ctx context.Context, all total) bool {
	for i, r := range p.results(ctx, all) {
		due := all.arrived
		if p.filtered {
			due = all.want[i]
		}
		if n := r.seen + r.lost; n > due || n+all.missing < due {
			return false
		}
	}
	return true
}

// programCounts are packets that were captured, that passed the filter, and that were lost.
var programCounts = regexp.MustCompile(`(\d+) .*, (\d+) .*, (\d+) `)

func (p *programs) results(context.Context, total) []result {
	for _, cmd := range p.cmds {
		check(cmd.Process.Signal(syscall.SIGUSR1))
	}
	all := make([]result, len(p.cmds))
	for i := range all {
		line := p.await(i, "captured")
		n := programCounts.FindStringSubmatch(line)
		if n == nil {
			fail("%v says %q", p.cmds[i], line)
		}
		must(fmt.Sscan(strings.Join(n[1:], " "), &all[i].seen, &all[i].got, &all[i].lost))
	}
	return all
}
