package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"gomapi/internal/testnet"
)

// A part measures something and returns its section of the report.
type part struct {
	name string
	live bool // of an interface; others, of the capture file, have no link
	run  func(context.Context, link) string
}

func (b *bench) parts() []part {
	return []part{
		{"file", false, b.counting},
		{"packets", false, b.toBuffer},
		{"ports", false, b.ports},
		{"equal", false, b.equal},
		{"mixed", false, b.mixed},
		{"strings", false, b.searches},
		{"counting", true, b.liveCounting},
		{"delay", true, b.delay},
		{"idle", true, b.idleCost},
		{"setup", true, b.setup},
		{"liveports", true, b.livePorts},
		{"audience", true, b.equalPrograms},
		{"sampling", true, b.sampling},
		{"searching", true, b.searching},
		{"churn", true, b.churnFlows},
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
			return nil, fmt.Errorf("-only %s: there is no part %q, but %s", b.only, name, strings.Join(partNames(), ", "))
		}
		parts = append(parts, b.parts()[i])
	}
	return parts, nil
}

// partLimit is how long a part may take, besides the flows that come and go.
const partLimit = 5 * time.Minute

// measure makes a section; on an interface, in a network namespace of its own.
func (b *bench) measure(ctx context.Context, t testnet.TB, p part, limit time.Duration) (section string, err error) {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer b.awaitEnd()
	defer cancel()
	run := func(l link) { section = p.run(limited, l) }
	if p.live {
		testnet.Run(t, func(ns *testnet.NS) { err = catch(func() { run(newLink(ns)) }) })
	} else {
		err = catch(func() { run(link{}) })
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
