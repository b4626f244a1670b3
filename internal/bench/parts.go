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
	name    string
	measure func(context.Context) (string, error)
}

// fileParts are about the capture file.
func (b *bench) fileParts() []part {
	return []part{{"file", b.file}, {"packets", b.packets}, {"ports", b.ports}, {"equal", b.equal}, {"mixed", b.mixed}, {"strings", b.strings}}
}

// liveParts need a network.
func (b *bench) liveParts(ns *testnet.NS) []part {
	var parts []part
	for _, p := range []struct {
		name    string
		measure func(context.Context, *testnet.NS) (string, error)
	}{
		{"counting", b.counting}, {"delay", b.delay}, {"idle", b.idle}, {"setup", b.setup}, {"liveports", b.livePorts}, {"audience", b.sameFlows},
		{"sampling", b.sampling}, {"searching", b.searching}, {"churn", b.comeAndGo}, {"changes", b.changes},
	} {
		parts = append(parts, part{p.name, func(ctx context.Context) (string, error) { return p.measure(ctx, ns) }})
	}
	return parts
}

func partNames() (names []string) {
	var b bench
	for _, p := range append(b.fileParts(), b.liveParts(nil)...) {
		names = append(names, p.name)
	}
	return names
}

func (b *bench) wanted(part string) bool {
	return b.only == "" || slices.Contains(strings.Split(b.only, ","), part)
}

// checkParts returns an error when a part is wanted that does not exist.
func (b *bench) checkParts() error {
	for name := range strings.SplitSeq(b.only, ",") {
		if b.only != "" && !slices.Contains(partNames(), name) {
			return fmt.Errorf("-only %s: there is no part %q, but %s", b.only, name, strings.Join(partNames(), ", "))
		}
	}
	return nil
}

// partLimit is how long a part may take, besides the flows that come and go.
const partLimit = 5 * time.Minute

func (b *bench) measure(ctx context.Context, parts []part) (sections []string, err error) {
	for _, p := range parts {
		if !b.wanted(p.name) {
			continue
		}
		start := time.Now()
		limit := partLimit + time.Duration(b.churn)*2*time.Millisecond
		limited, cancel := context.WithTimeout(ctx, limit)
		section, err := p.measure(limited)
		slow := limited.Err() != nil && ctx.Err() == nil
		cancel()
		if err != nil && slow {
			progress("%s: %v", p.name, err)
			section, err = fmt.Sprintf("## Part %s\n\nToo slow: over %.0f s.\n", p.name, limit.Seconds()), nil
		}
		if err != nil {
			return sections, fmt.Errorf("%s: %w", p.name, err)
		}
		progress("%s took %.0f s", p.name, time.Since(start).Seconds())
		sections = append(sections, section)
	}
	return sections, nil
}

// live measures on an interface, for which it must be root.
func (b *bench) live(ctx context.Context, t testnet.TB) (sections []string, err error) {
	if os.Geteuid() != 0 {
		why := "needs root, for a network namespace of its own"
		log.Print("live capture is left out: ", why)
		return []string{"## Live capture\n\nLeft out: " + why + ".\n"}, nil
	}
	testnet.Run(t, func(ns *testnet.NS) { sections, err = b.measure(ctx, b.liveParts(ns)) })
	return sections, err
}
