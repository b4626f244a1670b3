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
	file func(context.Context) string       // of the capture file, or
	live func(context.Context, link) string // of an interface
}

func (b *bench) parts() []part {
	return []part{
		{name: "file", file: b.counting},
		{name: "packets", file: b.toBuffer},
		{name: "ports", file: b.ports},
		{name: "equal", file: b.equal},
		{name: "mixed", file: b.mixed},
		{name: "strings", file: b.searches},
		{name: "counting", live: b.liveCounting},
		{name: "delay", live: b.delay},
		{name: "idle", live: b.idleCost},
		{name: "setup", live: b.setup},
		{name: "liveports", live: b.livePorts},
		{name: "audience", live: b.equalPrograms},
		{name: "sampling", live: b.sampling},
		{name: "searching", live: b.searching},
		{name: "churn", live: b.churnFlows},
		{name: "changes", live: b.changes},
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
			return nil, fmt.Errorf("-only %s: there is no part %q, but %s", b.only, name, strings.Join(partNames(), ", "))
		}
		parts = append(parts, b.parts()[i])
	}
	return parts, nil
}

// partLimit is how long a part may take, besides the flows that come and go.
const partLimit = 5 * time.Minute

// measure makes the sections of parts.
func (b *bench) measure(ctx context.Context, t testnet.TB, parts []part) (sections []string, err error) {
	limit := partLimit + time.Duration(b.churn)*2*time.Millisecond
	for _, p := range parts {
		if p.live != nil && os.Geteuid() != 0 {
			return append(sections, "## Live capture\n\nLeft out: needs root, for a network namespace of its own.\n"), nil
		}
		section, err := b.measurePart(ctx, t, p, limit)
		if err != nil {
			return nil, err
		}
		sections = append(sections, section)
	}
	return sections, nil
}

// measurePart makes a section; on an interface, in a network namespace of its own.
func (b *bench) measurePart(ctx context.Context, t testnet.TB, p part, limit time.Duration) (section string, err error) {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer b.awaitEnd()
	defer cancel()
	if p.file != nil {
		err = catch(func() { section = p.file(limited) })
	} else {
		testnet.Run(t, func(ns *testnet.NS) {
			err = catch(func() { section = p.live(limited, newLink(ns)) })
		})
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		log.Printf("%s: %v", p.name, err)
		return fmt.Sprintf("## Part %s\n\nToo slow: over %.0f s.\n", p.name, limit.Seconds()), nil
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.name, err)
	}
	log.Printf("%s took %.0f s", p.name, time.Since(start).Seconds())
	return section, nil
}
