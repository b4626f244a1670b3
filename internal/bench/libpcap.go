package main

import (
	"bytes"
	"context"
	_ "embed" // the source of the programs
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

//go:embed libpcap/programs.c
var libpcapSource []byte

// buildPrograms makes the programs that use libpcap.
func (b *bench) buildPrograms() {
	check(os.MkdirAll(b.dir, 0o755))
	cmd := exec.Command("cc", "-O2", "-x", "c", "-o", b.libpcapPrograms(), "-", "-lpcap")
	cmd.Stdin = bytes.NewReader(libpcapSource)
	output(cmd)
}

func (b *bench) libpcapPrograms() string { return filepath.Join(b.dir, "programs") }

// readLibpcap has one program that uses libpcap do all tasks on the first packets of the file.
func (b *bench) readLibpcap(ctx context.Context, packets int, tasks []string) (cpu time.Duration, counts []tracegen.Count) {
	cmd := exec.CommandContext(ctx, b.libpcapPrograms(), "file", b.capture(b.packets), fmt.Sprint(packets))
	cmd.Stdin = strings.NewReader(strings.Join(tasks, "\n") + "\n")
	out := bytes.NewReader(output(cmd))
	must(fmt.Fscan(out, (*int64)(&cpu)))
	counts = make([]tracegen.Count, len(tasks))
	for i := range counts {
		must(fmt.Fscan(out, &counts[i].Packets, &counts[i].Bytes))
	}
	return cpu, counts
}

// libpcap is processes that use libpcap, each with its own capture.
type libpcap struct {
	*dialog
	pids     []int
	filtered bool // in the kernel: a process sees what it is about only
	said     []result
}

// startLibpcap starts a process for each task and returns when all capture. Their rings
// have 64 MiB together, as that of mapid, and each the 2 MiB of libpcap's programs at least.
func (b *bench) startLibpcap(ctx context.Context, n int, task func(i int) string) *libpcap {
	ring := max(2<<20, 64<<20/n)
	l := &libpcap{filtered: task(0)[0] == 'f',
		dialog: b.startDialog(ctx, list(n, task), b.libpcapPrograms(), "live", testnet.B, strconv.Itoa(ring), strconv.Itoa(n))}
	l.awaitReady()
	l.pids = treeOf(l.dialog.cmd.Process.Pid)
	return l
}

func (l *libpcap) cpu() time.Duration { return cpuOf(l.pids...) }

// settle fails when nothing moves any more although packets are not accounted for.
func (l *libpcap) settle(_ context.Context, all total) error {
	const still = 3 * time.Second
	moved := time.Now()
	for deadline := moved.Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		before := slices.Clone(l.said)
		if l.askAll(all) {
			return nil
		}
		if !slices.Equal(before, l.said) {
			moved = time.Now()
		}
		if time.Since(moved) > still {
			fail("libpcap programs have not seen all of %d packets, and lost too few: %+v", all.arrived, l.said[:min(5, len(l.said))])
		}
	}
	return errSlow
}

// askAll reports whether all processes have dealt with all packets: each was seen or lost.
func (l *libpcap) askAll(all total) (done bool) {
	done = true
	l.said = l.said[:0]
	line := l.ask()
	for i, want := range all.want {
		if i > 0 {
			line = l.line()
		}
		var pid int
		var r result
		must(fmt.Sscan(line, &pid, &r.seen, &r.lost, &r.got))
		most, least := all.arrived, all.arrived
		if l.filtered {
			most, least = want, want-min(want, all.missing)
		}
		if r.seen+r.lost > most {
			fail("libpcap process %d has seen %d packets and lost %d of %d", i+1, r.seen, r.lost, most)
		}
		done = done && r.seen+r.lost >= least
		l.said = append(l.said, r)
	}
	return done
}

func (l *libpcap) results(context.Context, total) []result { return l.said }
