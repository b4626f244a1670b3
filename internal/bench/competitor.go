package main

import (
	"context"
	_ "embed" // the source of the programs
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

//go:embed libpcap/programs.c
var libpcapSource string

// buildPrograms makes the programs that use libpcap.
func (b *bench) buildPrograms() {
	check(os.MkdirAll(b.dir, 0o755))
	cmd := exec.Command("cc", "-O2", "-x", "c", "-o", b.libpcapPrograms(), "-", "-lpcap")
	cmd.Stdin = strings.NewReader(libpcapSource)
	output(cmd)
}

func (b *bench) libpcapPrograms() string { return filepath.Join(b.dir, "programs") }

// readLibpcap has one program that uses libpcap do all tasks on the first packets of the
// file, 0 for all.
func (b *bench) readLibpcap(ctx context.Context, packets int, tasks []string) (
	cpu time.Duration, counts []tracegen.Count) {
	cmd := exec.CommandContext(ctx, b.libpcapPrograms(), "file", b.capture(b.packets), fmt.Sprint(packets))
	cmd.Stdin = strings.NewReader(strings.Join(tasks, "\n") + "\n")
	out := strings.NewReader(output(cmd))
	must(fmt.Fscan(out, (*int64)(&cpu)))
	counts = make([]tracegen.Count, len(tasks))
	for i := range counts {
		must(fmt.Fscan(out, &counts[i].Packets, &counts[i].Bytes))
	}
	return cpu, counts
}

// readTcpdump has tcpdump count the packets of the file, without their bytes.
func (b *bench) readTcpdump(ctx context.Context, filter ...string) (time.Duration, []tracegen.Count) {
	args := append([]string{"-n", "-r", b.capture(b.packets), "--count"}, filter...)
	cmd := exec.CommandContext(ctx, "tcpdump", args...)
	var count tracegen.Count
	must(fmt.Sscan(output(cmd), &count.Packets))
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), []tracegen.Count{count}
}

// startLibpcap starts a libpcap program for each task. Their rings have 64 MiB together, as
// that of mapid, and each the 2 MiB of libpcap's programs at least.
func (b *bench) startLibpcap(ctx context.Context, tasks []string) *programs {
	ring := fmt.Sprint(max(2<<20, 64<<20/len(tasks)))
	p := b.startPrograms(ctx, tasks, b.libpcapPrograms(), "live", testnet.B, ring)
	p.filtered = tasks[0][0] == 'f'
	return p
}

// startTcpdump starts a tcpdump that throws away what it captures, with a ring as large as
// that of mapid. It keeps its rights: otherwise it would give what it writes to the user
// that it becomes, and that is /dev/null.
func (b *bench) startTcpdump(ctx context.Context) *programs {
	return b.startPrograms(ctx, []string{"65536"},
		"tcpdump", "-Z", "root", "-i", testnet.B, "-w", "/dev/null", "-s", "0", "-B")
}
