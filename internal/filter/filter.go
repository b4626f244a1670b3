// Package filter compiles tcpdump expressions to programs.
//
// libpcap compiles them, so that the language is exactly tcpdump's. Expressions come from
// anybody, so a daemon runs libpcap in confined children: a Helper. The child's half is
// in filter/libpcap, the only package that links libpcap.
//
// The files, each of which uses only those before it:
//
//	filter.go       the interface of a compiler
//	expression.go   checking expressions, and quoting them in messages
//	protocol.go     requests and answers on the pipes between parent and child
//	serve.go        the child's half
//	options.go      options of a Helper
//	child.go        a child: starting, asking, killing
//	pool.go         idle children
//	helper.go       the parent's half: the compiler
//
// Words to know: helper, child, verdict, slot.
package filter

import (
	"context"

	"gomapi/internal/bpf"
)

// MaxExpression is the maximum length of a filter expression in bytes.
const MaxExpression = 32 << 10

// A Compiler compiles tcpdump expressions to programs.
type Compiler interface {
	// Compile makes a program for packets of a link type (a DLT number), with netmask 0.
	// The error is 1025 with libpcap's reason if the expression does not compile, and
	// 1025 for host names, NUL bytes and expressions longer than MaxExpression. It is
	// 1027 if the compiler cannot work.
	Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error)
}
