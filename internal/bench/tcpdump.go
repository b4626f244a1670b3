package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// countTcpdump counts the packets of the file with tcpdump.
func (b *bench) countTcpdump(ctx context.Context, filter ...string) (time.Duration, []tracegen.Count) {
	cmd := exec.CommandContext(ctx, "tcpdump", append([]string{"-n", "-r", b.capture(b.packets), "--count"}, filter...)...)
	var count tracegen.Count
	must(fmt.Sscan(string(output(cmd)), &count.Packets))
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), []tracegen.Count{count}
}

// tcpdump is one that throws away what it captures.
type tcpdump struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner // of what it says
	said  result
}

// startTcpdump starts a tcpdump with a ring as large as that of mapid, and returns when it
// captures.
func (b *bench) startTcpdump(ctx context.Context) *tcpdump {
	// With the rights that it has: it gives what it writes to the user that it becomes
	// otherwise, and that is /dev/null.
	d := &tcpdump{cmd: b.command(ctx, "tcpdump", "-Z", "root", "-i", testnet.B, "-w", "/dev/null", "-s", "0", "-B", "65536")}
	d.lines = bufio.NewScanner(must(d.cmd.StderrPipe()))
	check(d.cmd.Start())
	d.await("listening on")
	return d
}

func (d *tcpdump) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
}

func (d *tcpdump) cpu() time.Duration { return cpuOf(d.cmd.Process.Pid) }

// await returns the next line with this text.
func (d *tcpdump) await(text string) string {
	for d.lines.Scan() {
		if strings.Contains(d.lines.Text(), text) {
			return d.lines.Text()
		}
	}
	fail("tcpdump ends without %q (%v)", text, d.lines.Err())
	return ""
}

// tcpdumpCounts are what was captured, received by the filter, and dropped by the kernel.
var tcpdumpCounts = regexp.MustCompile(`(\d+) .*, (\d+) .*, (\d+) `)

// settle has tcpdump say what it has counted (SIGUSR1, tcpdump(8)).
func (d *tcpdump) settle(_ context.Context, all total) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		check(d.cmd.Process.Signal(syscall.SIGUSR1))
		line := d.await("captured")
		n := tcpdumpCounts.FindStringSubmatch(line)
		if n == nil {
			fail("tcpdump says %q", line)
		}
		must(fmt.Sscan(n[1]+" "+n[3], &d.said.got, &d.said.lost))
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
