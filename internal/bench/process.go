package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is a program that ends with the context, and (PR_SET_PDEATHSIG) with the
// benchmark.
func (b *bench) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
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

// A dialog is a program that says "ready", answers each line of its input, and ends with
// that.
type dialog struct {
	cmd       *exec.Cmd
	questions io.WriteCloser
	answers   *bufio.Scanner
}

// startDialog starts a program, with lines for its input.
func (b *bench) startDialog(ctx context.Context, lines []string, path string, args ...string) *dialog {
	d := &dialog{cmd: b.command(ctx, path, args...)}
	d.cmd.Stderr = os.Stderr
	d.answers = bufio.NewScanner(must(d.cmd.StdoutPipe()))
	d.questions = must(d.cmd.StdinPipe())
	check(d.cmd.Start())
	for _, l := range lines {
		must(io.WriteString(d.questions, l+"\n"))
	}
	return d
}

func (d *dialog) awaitReady() {
	if line := d.line(); line != "ready" {
		fail("%v does not start: it says %q", d.cmd, line)
	}
}

// ask asks for the first line of an answer; line returns the others.
func (d *dialog) ask() string {
	must(io.WriteString(d.questions, "\n"))
	return d.line()
}

func (d *dialog) line() string {
	if !d.answers.Scan() {
		fail("%v says nothing (%v)", d.cmd, d.answers.Err())
	}
	return d.answers.Text()
}

func (d *dialog) stop() {
	d.questions.Close()
	_ = d.cmd.Wait()
}

// cpuOf returns the CPU time, user and system, that all threads of processes have used so
// far (clock_getres(2): the clock of a process is ~pid<<3|2).
func cpuOf(pids ...int) (sum time.Duration) {
	for _, pid := range pids {
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
			fail("CPU clock of process %d: %w", pid, err)
		}
		sum += time.Duration(ts.Nano())
	}
	return sum
}

// treeOf returns a process and its children, and theirs (proc_pid_task_tid_children(5)).
func treeOf(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))) {
			for child := range strings.FieldsSeq(readProc(path)) {
				var id int
				must(fmt.Sscan(child, &id))
				all = append(all, id)
			}
		}
	}
	return all
}

// readProc reads a file of /proc, which is empty when its process or thread has ended.
func readProc(path string) string {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return ""
	}
	return string(must(text, err))
}

// statusOf adds up lines of a file that is as proc_pid_status(5) says.
func statusOf(path string, names ...string) (sum uint64) {
	for line := range strings.Lines(readProc(path)) {
		if name, value, _ := strings.Cut(line, ":"); slices.Contains(names, name) {
			var n uint64
			must(fmt.Sscan(value, &n))
			sum += n
		}
	}
	return sum
}

// memoryOf returns the memory of a process and its children, in bytes. Memory that a
// process shares with its clients counts once, where the process itself has it.
func memoryOf(pid int) (sum uint64) {
	sum = statusOf(fmt.Sprintf("/proc/%d/status", pid), "RssShmem")
	for _, p := range treeOf(pid) {
		sum += statusOf(fmt.Sprintf("/proc/%d/status", p), "RssAnon", "RssFile")
	}
	return sum << 10
}

// switchesOf returns how often the kernel has switched away from the threads of a process.
func switchesOf(pid int) (sum uint64) {
	for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))) {
		sum += statusOf(path, "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
	}
	return sum
}

// filesOf returns how many files a process has open.
func filesOf(pid int) int { return len(must(os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)))) }

// output runs a command and returns what it writes.
func output(cmd *exec.Cmd) []byte {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		fail("%v: %w: %s", cmd, err, &said)
	}
	return out
}
