// Package filter compiles tcpdump expressions to programs.
//
// libpcap compiles, so that tcpdump's language is exact. What it is given comes from
// anybody, so a daemon has it run in confined children: a Helper. Its other half, the
// child's, is in filter/libpcap, the only package that links libpcap.
//
// The files, each of which uses only those before it:
//
//	filter.go       what a compiler is
//	expression.go   what of an expression must not reach it, and what of it is shown
//	protocol.go     requests and answers on the pipes between parent and child
//	serve.go        the child's half
//	options.go      options of a Helper
//	child.go        a child: started, asked, killed
//	pool.go         idle children
//	helper.go       the parent's half: the compiler
//
// Words to know: helper, child, verdict, slot.
package filter

import (
	"context"

	"gomapi/internal/bpf"
)

// MaxExpression is how many bytes a filter expression may have.
const MaxExpression = 32 << 10

// A Compiler turns tcpdump expressions into programs.
type Compiler interface {
	// Compile makes a program for packets of a link type (a DLT number), with
	// netmask 0. What does not compile gives error 1025 with libpcap's reason,
	// as do host names, NUL bytes and expressions over MaxExpression; a
	// compiler that cannot work gives 1027.
	Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error)
}
