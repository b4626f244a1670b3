package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"gomapi/internal/testnet"
)

// A part measures something and returns its section of the report.
type part struct {
	name string
	live bool // on an interface; others have no link
	run  func(context.Context) *table
}

func (b *bench) parts() []part {
	return []part{
		{"file", false, b.fileCounting},
		{"packets", false, b.packetsOfFile},
		{"ports", false, b.ports},
		{"equal", false, b.equal},
		{"mixed", false, b.mixed},
		{"strings", false, b.strings},
		{"counting", true, b.counting},
		{"delay", true, b.delay},
		{"idle", true, b.idle},
		{"setup", true, b.setup},
		{"liveports", true, b.livePorts},
		{"audience", true, b.audience},
		{"sampling", true, b.sampling},
		{"searching", true, b.searching},
		{"churn", true, b.comeAndGo},
		{"changes", true, b.changes},
	}
}

func partNames() (names []string) {
	for _, p := range new(bench).parts() {
		names = append(names, p.name)
	}
	return names
}

// selected returns the parts that -only names, or all.
func (b *bench) selected() (parts []part, err error) {
	if b.only == "" {
		return b.parts(), nil
	}
	for name := range strings.SplitSeq(b.only, ",") {
		i := slices.Index(partNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("-only %s: there is no part %q, but %s",
				b.only, name, strings.Join(partNames(), ", "))
		}
		parts = append(parts, b.parts()[i])
	}
	return parts, nil
}

// partLimit is how long a part may take, besides the flows that come and go.
const partLimit = 5 * time.Minute

// run measures everything and returns the report.
func (b *bench) run(ctx context.Context, t testnet.TB) (string, error) {
	parts, err := b.selected()
	if err != nil {
		return "", err
	}
	if err := catch(b.buildPrograms); err != nil {
		return "", err
	}
	report := []string{head()}
	for _, p := range parts {
		if p.live && os.Geteuid() != 0 {
			report = append(report,
				"## Live capture\n\nLeft out: needs root, for a network namespace of its own.\n")
			break
		}
		s, err := b.section(ctx, t, p, partLimit+time.Duration(b.churn)*2*time.Millisecond)
		if err != nil {
			return "", err
		}
		report = append(report, s)
	}
	return strings.Join(report, "\n"), nil
}

// section makes a part; on an interface, in a network namespace of its own.
func (b *bench) section(ctx context.Context, t testnet.TB, p part, limit time.Duration) (string, error) {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer b.awaitEnd()
	defer cancel()
	var text string
	var err error
	run := func() { err = catch(func() { text = p.run(limited).markdown(b.charts) }) }
	if p.live {
		testnet.Run(t, func(ns *testnet.NS) { b.link = newLink(ns); run() })
	} else {
		run()
	}
	switch {
	case err == nil:
		log.Printf("%s took %.0f s", p.name, time.Since(start).Seconds())
		return text, nil
	case limited.Err() != nil && ctx.Err() == nil:
		log.Printf("%s: %v", p.name, err)
		return fmt.Sprintf("## Part %s\n\nToo slow: over %.0f s.\n", p.name, limit.Seconds()), nil
	}
	return "", fmt.Errorf("%s: %w", p.name, err)
}
