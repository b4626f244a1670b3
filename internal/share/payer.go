// Package share divides the time of the processors between the users whose flows and files
// take it: what each one's flows cost is measured, who costs a device too much is passed by
// for a while, and capture files take turns.
//
// Files in reading order; each uses those before it:
//
//	payer.go   who pays
//	meter.go   what a batch costs, and whom
//	policy.go  whom a device passes by, and for how long
//	turns.go   which files are read now
package share

import (
	"sync/atomic"
	"time"
)

// A Payer is charged for time of the processors: one user, over all devices and connections.
// The zero value is ready to use.
type Payer struct {
	spent atomic.Int64 // ns
	usage usage        // guarded by Turns.mu
}

// Spent returns the time that the payer's flows and files have taken so far. Any goroutine may
// call it.
func (p *Payer) Spent() time.Duration { return time.Duration(p.spent.Load()) }

// A Share is what the flows of one payer take of the time of one device.
type Share struct {
	payer *Payer
	spent atomic.Int64 // ns

	// Of the batch that is metered; the goroutine of the meter owns them.
	time   int64 // ns
	listed bool

	term term // for the policy
}

// New makes the share of a payer.
func New(p *Payer) *Share { return &Share{payer: p} }

// Spent returns the time that the share has taken so far. Any goroutine may call it.
func (s *Share) Spent() time.Duration { return time.Duration(s.spent.Load()) }

// charge adds to what the share and its payer have taken.
func (s *Share) charge(ns int64) {
	s.spent.Add(ns)
	s.payer.spent.Add(ns)
}

// A Bill is for work that several shares have in common. Each of them pays in proportion to
// its weight. The zero value is paid by nobody.
type Bill struct {
	parts  []part
	weight int64 // of all parts
	time   int64 // of the batch that is metered, ns
	listed bool
}

type part struct {
	share  *Share
	weight int64
}

// Reset makes the bill one that is paid by nobody. It keeps the memory.
func (b *Bill) Reset() {
	clear(b.parts)
	b.parts, b.weight = b.parts[:0], 0
}

// Add makes a share pay for more of the work. Nothing is added for a nil share.
func (b *Bill) Add(s *Share, weight int) {
	if s == nil || weight <= 0 {
		return
	}
	b.weight += int64(weight)
	for i := len(b.parts) - 1; i >= 0; i-- { // mostly the last
		if b.parts[i].share == s {
			b.parts[i].weight += int64(weight)
			return
		}
	}
	b.parts = append(b.parts, part{s, int64(weight)})
}
