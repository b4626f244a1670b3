// Package filter decides which packets match which tcpdump expressions.
//
// Expressions become classic BPF programs through libpcap, so that tcpdump's
// language is exact; libpcap runs in a confined child process (Helper). A
// Program decides one filter, a Classifier decides all filters of a device
// together. Both are immutable once made and safe for any goroutine.
//
// A program is checked and decoded (check.go, instruction.go, program.go) and
// run (match.go, compute.go). For a classifier, programs are read into shared
// tests (symbolic.go, step.go; term.go, node.go, merge.go); these are split by
// fields with few values (shape.go, survey.go, split.go), and what is left is
// indexed (leaf.go, cover.go, sample.go, blocks.go, list.go, bundle.go) with what
// remains to be checked (residue.go, ordinary.go). Packets then go through states
// (shape.go), indexes (index.go) and lists: classify.go, follow.go, short.go, field.go.
// docs/classifier.md has the reasons.
package filter

import "context"

// Limits of what a client may ask for.
const (
	MaxExpression   = 32 << 10 // bytes of a filter expression
	MaxInstructions = 65536    // of a compiled program
)

// A Compiler turns tcpdump expressions into programs.
type Compiler interface {
	// Compile makes a program for packets of a link type (a DLT number), with
	// netmask 0. What does not compile gives error 1025 with libpcap's reason,
	// as do host names, NUL bytes and expressions over MaxExpression; a
	// compiler that cannot work gives 1027.
	Compile(ctx context.Context, expr string, linkType uint16) (*Program, error)
}
