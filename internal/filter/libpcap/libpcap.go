// Package libpcap compiles tcpdump expressions with libpcap, for the packages
// that need tcpdump's language exact. It is the only one that links libpcap.
//
// A daemon does not call Compile, since expressions come from anybody: its
// main calls ServeIfHelper before anything else and compiles through
// filter.Helper, which starts the same program again as a confined child. Such
// a child runs as nobody if the daemon is root, has no capability, may not
// open sockets, write files, start programs or signal others, reads only /etc
// and what /proc shows to everybody where the kernel has Landlock, gives way to
// the daemon's threads, and has bounded memory and processor time.
//
// Names of services and protocols are taken from /etc/services and
// /etc/protocols, and refused where these are missing. Names of hosts and networks are
// not looked up.
//
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

// optimizable is the length of an unoptimised program up to which libpcap may
// optimise it. Its optimiser takes 3 ms for 40 terms of "host", which are 1138
// instructions, 40 ms for 100, 0.3 s for 200 and 39 s for 1,000.
const optimizable = 2048

var mu sync.Mutex // one compilation at a time: look-ups by name share static memory

// Compile makes a program of expr for packets of a link type (a DLT number),
// with netmask 0 and a snap length that accepts every byte, optimised unless
// it is long. Any goroutine may call it. Errors: 1025 if expr does not compile
// and for host names, with the reason; 1027 if look-ups cannot be pinned.
//
// The first call pins name look-ups of the C library for the whole process:
// from then on it resolves no names of hosts.
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

// explain makes libpcap's reason an error for users.
func explain(expr string, err error) error {
	reason := err.Error()
	if strings.HasPrefix(reason, "unknown port") && withoutServices() {
		reason = noServices
	}
	for _, kind := range []string{"unknown host", "unknown ether host", "unknown network"} {
		if strings.HasPrefix(reason, kind+" ") {
			reason += " (host names are not looked up, use addresses)"
			break
		}
	}
	return mapierr.New(mapierr.PcapBPF, "filter %s does not compile: %s", filter.Quote(expr), reason)
}

// InProcess is a filter.Compiler without child and confinement, for tests and
// for expressions of the program's own.
type InProcess struct{}

var _ filter.Compiler = InProcess{}

// Compile implements filter.Compiler. It does not end with ctx.
func (InProcess) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	raw, err := Compile(expr, linkType)
	if err != nil {
		return nil, err
	}
	return bpf.NewProgram(raw)
}
