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

// A part measures something and returns the rows of its section of the report.
type part struct {
	name string
	live bool // on an interface; others have no link
	run  func(*bench, context.Context) rows
}

var parts = []part{
	{"file", false, (*bench).fileCounting},
	{"packets", false, (*bench).packetsOfFile},
	{"ports", false, (*bench).ports},
	{"equal", false, (*bench).equal},
	{"mixed", false, (*bench).mixed},
	{"strings", false, (*bench).strings},
	{"counting", true, (*bench).counting},
	{"delay", true, (*bench).delay},
	{"idle", true, (*bench).idle},
	{"setup", true, (*bench).setup},
	{"liveports", true, (*bench).livePorts},
	{"audience", true, (*bench).audience},
	{"sampling", true, (*bench).sampling},
	{"searching", true, (*bench).searching},
	{"churn", true, (*bench).comeAndGo},
	{"changes", true, (*bench).changes},
}

// partNames are what the user may select, with commas.
func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ",")
}

// selected returns the parts with these names.
func selected(names string) (all []part, err error) {
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only: there is no part %q, but %s", name, partNames())
		}
		all = append(all, parts[i])
	}
	return all, nil
}

// run measures parts and returns the report.
func (b *bench) run(ctx context.Context, t testnet.TB, parts []part) (string, error) {
	var report string
	err := catch(func() {
		b.buildPrograms()
		report = b.write("head", nil)
		for _, p := range parts {
			if p.live && os.Geteuid() != 0 {
				report += "\n## Live capture\n\nLeft out: needs root, for a network namespace of its own.\n"
				break
			}
			start := time.Now()
			report += "\n" + b.section(ctx, t, p, partLimit+time.Duration(b.churn)*2*time.Millisecond)
			log.Printf("%s took %.0f s", p.name, time.Since(start).Seconds())
		}
	})
	return report, err
}

// partLimit is how long a part may take, besides the flows that come and go.
const partLimit = 5 * time.Minute

// section makes a part; on an interface, in a network namespace of its own.
func (b *bench) section(ctx context.Context, t testnet.TB, p part, limit time.Duration) (text string) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer b.awaitEnd()
	defer cancel()
	var err error
	run := func() { err = catch(func() { text = b.write(p.name, p.run(b, limited)) }) }
	if p.live {
		testnet.Run(t, func(ns *testnet.NS) { b.link = newLink(ns); run() })
	} else {
		run()
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		log.Printf("%s: %v", p.name, err)
		return fmt.Sprintf("## Part %s\n\nToo slow: over %.0f s.\n", p.name, limit.Seconds())
	}
	if err != nil {
		fail("%s: %w", p.name, err)
	}
	return text
}
