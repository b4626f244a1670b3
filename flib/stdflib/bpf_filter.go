package stdflib

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

var bpfFilter = flib.Def{
	Name: "BPF_FILTER",
	Description: "Passes the packets that match a tcpdump expression, compiled by libpcap " +
		"for the link type of the device. If a flow has several filters, all must match.",
	Args: []flib.Arg{{
		Name: "expression",
		Kind: flib.String,
		Doc: "pcap-filter(7) syntax, not empty. Hosts and networks must be addresses: " +
			"names would need a network lookup.",
	}},
	Filters: true,
	Example: `flow.Apply(ctx, "BPF_FILTER", "tcp and dst port 80")`,
	Call:    `BPF_FILTER("tcp and dst port 80")`,
	New:     newPacketFilter,
}

// packetFilter runs one program per link type. It is a flib.Classifier: Process runs only
// if the filter is not the first function.
type packetFilter struct {
	env      flib.Env
	expr     string
	programs atomic.Pointer[[]typedProgram] // few: one per link type of the device
	out      []*flib.Packet
}

// A typedProgram has no program for a link type to which the expression does not apply.
type typedProgram struct {
	linkType uint16
	program  *bpf.Program
}

func newPacketFilter(ctx context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	expr := args.String(0)
	if expr == "" {
		return nil, mapierr.New(mapierr.InvalidArgument1,
			"BPF_FILTER: the expression is empty: omit the function to pass every packet")
	}
	f := &packetFilter{env: env, expr: expr}
	f.programs.Store(new([]typedProgram))
	if err := f.makeSense(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// makeSense looks for a link type of the device to which the expression applies. If there
// is none, it returns the error for the first link type.
func (f *packetFilter) makeSense(ctx context.Context) (refused error) {
	for _, linkType := range f.env.LinkTypes() {
		err := f.compile(ctx, linkType)
		if err == nil || !notApplicable(err) {
			return err
		}
		if refused == nil {
			refused = remedied(linkType, err)
		}
	}
	return refused
}

// remedied extends libpcap's error about tags behind cooked headers with a test that
// works.
func remedied(linkType uint16, err error) error {
	const remedy = `; behind this header, write VLAN 100 as "%s"; with vlan_tags=strip in mapi.conf, filters look behind tags`
	if !strings.Contains(err.Error(), "no VLAN support") {
		return err
	}
	switch linkType {
	case pkt.DLTLinuxSLL:
		return fmt.Errorf("%w"+remedy, err, "link[14:2] = 0x8100 and link[16:2] & 0xfff = 100")
	case pkt.DLTLinuxSLL2:
		return fmt.Errorf("%w"+remedy, err, "link[0:2] = 0x8100 and link[20:2] & 0xfff = 100")
	}
	return err
}

// AddLinkType compiles the expression for one more link type. If libpcap has no such test
// for the link type, nothing can match.
func (f *packetFilter) AddLinkType(ctx context.Context, linkType uint16) error {
	for _, t := range *f.programs.Load() {
		if t.linkType == linkType {
			return nil
		}
	}
	if err := f.compile(ctx, linkType); err != nil && !notApplicable(err) {
		return err
	}
	return nil
}

// compile adds the program for a link type, nil if the expression does not apply to it.
func (f *packetFilter) compile(ctx context.Context, linkType uint16) error {
	p, err := f.env.Compile(ctx, f.expr, linkType)
	if err != nil && !notApplicable(err) {
		return err
	}
	// The list is copied, because Program may be reading the old one.
	more := append(slices.Clone(*f.programs.Load()), typedProgram{linkType, p})
	f.programs.Store(&more)
	return err
}

// notApplicable reports whether libpcap refused an expression for a link type.
func notApplicable(err error) bool {
	return mapierr.CodeOf(err, mapierr.PcapOpenDead) == mapierr.PcapBPF
}

// Program implements flib.Classifier.
func (f *packetFilter) Program(linkType uint16) *bpf.Program {
	for _, t := range *f.programs.Load() {
		if t.linkType == linkType {
			return t.program
		}
	}
	return nil
}

func (f *packetFilter) Process(in []*flib.Packet) []*flib.Packet {
	f.out = f.out[:0]
	linkType, program := in[0].LinkType, f.Program(in[0].LinkType)
	for _, p := range in {
		if p.LinkType != linkType {
			linkType, program = p.LinkType, f.Program(p.LinkType)
		}
		if program != nil && program.Match(p.Link, p.Wire) {
			f.out = append(f.out, p)
		}
	}
	return f.out
}
