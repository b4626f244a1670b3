package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"gomapi/internal/testnet"
)

// tcpdump is one that throws away what it captures.
type tcpdump struct {
	cmd   *exec.Cmd
	pipe  *os.File
	lines *bufio.Reader // of what it says
	said  result
}

// startTcpdump starts a tcpdump with a ring as large as that of mapid, and returns when it
// captures.
func (b *bench) startTcpdump() *tcpdump {
	pipe, stderr, err := os.Pipe()
	check(err)
	defer stderr.Close()
	// With the rights that it has: it gives what it writes to the user that it becomes
	// otherwise, and that is /dev/null.
	d := &tcpdump{pipe: pipe, lines: bufio.NewReader(pipe), cmd: b.command("tcpdump", "-Z", "root", "-i", testnet.B, "-w", "/dev/null", "-s", "0", "-B", "65536")}
	d.cmd.Stderr = stderr
	check(d.cmd.Start())
	d.await("listening on")
	return d
}

func (d *tcpdump) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	d.pipe.Close()
}

func (d *tcpdump) cpu() time.Duration { return cpuOf(d.cmd.Process.Pid) }

// await returns the next line with this text.
func (d *tcpdump) await(text string) string {
	check(d.pipe.SetReadDeadline(time.Now().Add(patience)))
	for {
		line, err := d.lines.ReadString('\n')
		if err != nil {
			fail("tcpdump says %q, not %q: %w", line, text, err)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

var counter = regexp.MustCompile(`\d+`)

// settle has tcpdump say what it has counted (SIGUSR1, tcpdump(8)): what was captured,
// received by the filter, and dropped by the kernel.
func (d *tcpdump) settle(_ context.Context, all total) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		check(d.cmd.Process.Signal(syscall.SIGUSR1))
		line := d.await("captured")
		n := counter.FindAllString(line, -1)
		if len(n) < 3 {
			fail("tcpdump says %q", line)
		}
		must(fmt.Sscan(n[0]+" "+n[2], &d.said.got, &d.said.lost))
		if d.said.got+d.said.lost >= all.arrived {
			break
		}
	}
	return nil
}

func (d *tcpdump) results(_ context.Context, all total) []result {
	if d.said.got+d.said.lost != all.arrived {
		fail("%d packets arrived, tcpdump says that it has captured %d and lost %d", all.arrived, d.said.got, d.said.lost)
	}
	return []result{d.said}
}
