// Package libpcap compiles tcpdump expressions with libpcap, for packages that need
// exactly tcpdump's language. Only this package links libpcap.
//
// A daemon does not call Compile, because expressions come from anybody. Its main calls
// ServeIfHelper before anything else and compiles through filter.Helper, which starts the
// same program again as a confined child. If the daemon is root, the child runs as
// nobody. It has no capabilities, may not open sockets, write files, start programs or
// signal others, and its memory and processor time are limited. It has a lower priority
// than the daemon's threads. If the kernel has Landlock, it can read only /etc and the
// parts of /proc that everybody can read.
//
// Names of services and protocols are looked up in /etc/services and /etc/protocols, and
// refused if these are missing. Names of hosts and networks are never looked up.
// The files, each of which uses only those before it:
//
//	names.go             names of services and protocols, and no others
//	compile_unsafe.go    one call of pcap_compile(3)
//	libpcap.go           expressions become programs
//	privileges.go        giving up privileges
//	limits.go            memory, processor time
//	landlock_unsafe.go   system calls of Landlock
//	landlock.go          which files the child may use
//	seccomp_amd64.go     its name for this processor
//	seccomp_arm64.go     the same
//	seccomp_other.go     where there is no seccomp filter
//	seccomp_unsafe.go    system calls of seccomp
//	seccomp.go           which system calls the child may make
//	serve.go             the child: confined, then answering
//
// Words to know: helper, child, confinement.
package libpcap

import (
	"context"
	"errors"
	"strings"
	"sync"

	"gomapi/internal/bpf"
	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
)

// optimizable is the maximum length of an unoptimised program that libpcap may optimise.
// The optimiser takes 3 ms for 40 terms of "host", which are 1138 instructions, 40 ms for
// 100, 0.3 s for 200 and 39 s for 1,000.
const optimizable = 2048

var mu sync.Mutex // one compilation at a time, because look-ups by name share static memory

// Compile makes a program of expr for packets of a link type (a DLT number), with netmask
// 0 and a snap length that accepts every byte. It is optimised unless it is long. Any
// goroutine may call Compile. Errors: 1025, with the reason, if expr does not compile,
// and for host names; 1027 if look-ups cannot be pinned.
//
// The first call pins name look-ups of the C library for the whole process, which then
// resolves no host names.
func Compile(expr string, linkType uint16) ([]bpf.RawInstruction, error) {
	if err := filter.CheckExpression(expr); err != nil {
		return nil, err
	}
	if err := pinNames(); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	if withoutProtocols(expr) {
		return nil, explain(expr, errors.New(noProtocols))
	}
	raw, err := compile(expr, linkType, false)
	if err == nil && len(raw) <= optimizable {
		raw, err = compile(expr, linkType, true)
	}
	if err != nil {
		return nil, explain(expr, err)
	}
	return raw, nil
}

// explain converts libpcap's reason to an error for users.
func explain(expr string, err error) error {
	reason := err.Error()
	if strings.HasPrefix(reason, "unknown port") && withoutServices() {
		reason = noServices
	}
	for _, kind := range []string{"unknown host", "unknown ether host", "unknown network"} {
		if strings.HasPrefix(reason, kind+" ") {
			reason += " (host names are not looked up: use addresses)"
			break
		}
	}
	return mapierr.New(mapierr.PcapBPF, "filter %s does not compile: %s", filter.Quote(expr), reason)
}

// InProcess is a filter.Compiler without child and confinement. It is for tests and for
// trusted expressions of the program itself.
type InProcess struct{}

var _ filter.Compiler = InProcess{}

// Compile implements filter.Compiler. It ignores the end of ctx.
func (InProcess) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	raw, err := Compile(expr, linkType)
	if err != nil {
		return nil, err
	}
	return bpf.NewProgram(raw)
}
