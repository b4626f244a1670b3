package main

import (
	"bytes"
	"context"
	_ "embed" // the programs' source
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gomapi/internal/tracegen"
)

//go:embed libpcap/programs.c
var programsSource []byte

// buildPrograms makes the programs that use libpcap and the one that uses mapi.
func (b *bench) buildPrograms() error {
	source := filepath.Join(b.dir, "programs.c")
	if err := os.WriteFile(source, programsSource, 0o644); err != nil {
		return err
	}
	for _, command := range [][]string{
		{"cc", "-O2", "-o", b.programs(), source, "-lpcap"},
		{"go", "build", "-o", b.reader(), "gomapi/internal/bench/reader"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return nil
}

func (b *bench) programs() string { return filepath.Join(b.dir, "programs") }
func (b *bench) reader() string   { return filepath.Join(b.dir, "reader") }

// offline has one program that uses libpcap do all tasks on the first packets of the
// file. It returns the CPU time of that and what each task has counted.
func (b *bench) offline(ctx context.Context, packets int, tasks []string) (time.Duration, []tracegen.Count, error) {
	cmd := exec.CommandContext(ctx, b.programs(), "file", b.trace, strconv.Itoa(packets))
	cmd.Stdin = strings.NewReader(strings.Join(tasks, "\n") + "\n")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return 0, nil, fmt.Errorf("%w: %s", err, &said)
	}
	return parseOffline(out.String(), len(tasks))
}

// parseOffline reads the CPU time in nanoseconds and the counts of so many tasks.
func parseOffline(text string, tasks int) (time.Duration, []tracegen.Count, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 1+tasks {
		return 0, nil, fmt.Errorf("libpcap programs: %d lines, want %d", len(lines), 1+tasks)
	}
	var ns int64
	if _, err := fmt.Sscan(lines[0], &ns); err != nil {
		return 0, nil, fmt.Errorf("libpcap programs say %q: %w", lines[0], err)
	}
	counts := make([]tracegen.Count, tasks)
	for i, line := range lines[1:] {
		if _, err := fmt.Sscan(line, &counts[i].Packets, &counts[i].Bytes); err != nil {
			return 0, nil, fmt.Errorf("libpcap programs say %q: %w", line, err)
		}
	}
	return time.Duration(ns), counts, nil
}
