package main

import (
	"context"
	"fmt"
	"strings"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// A ledger prints the books of stages, one after the other, and sums up. After
// an error it does nothing; close returns the error.
type ledger struct {
	*tool
	stages, unbalanced int
	lost               uint64
	err                error
}

// A stageObject is the books of one stage in JSON.
type stageObject struct {
	Kind  string `json:"kind"`
	Stage string `json:"stage"` // for people; the other fields have the parts
	place
	Opening  uint64       `json:"opening"` // of the device
	In       uint64       `json:"in"`
	Out      []lineObject `json:"out"`
	Notes    []lineObject `json:"notes"`
	Moved    uint64       `json:"moved"`   // packets in transit while the books were read
	Missing  int64        `json:"missing"` // in minus the sum of out
	Balances bool         `json:"balances"`
}

// A place identifies a stage: a device, a flow on it, or a function of the
// flow.
type place struct {
	Device   string  `json:"device"`
	UID      *uint32 `json:"uid,omitempty"` // of a flow and its functions
	FD       *int    `json:"fd,omitempty"`
	FID      *int    `json:"fid,omitempty"`      // of a function
	Function string  `json:"function,omitempty"` // its name
}

// of is the place of a function of the flow.
func (p place) of(fn mapi.FunctionInfo) place {
	p.FID, p.Function = &fn.FID, fn.Name
	return p
}

// A filterObject is a leading filter in JSON.
type filterObject struct {
	Kind  string `json:"kind"`
	Stage string `json:"stage"`
	place
	In     uint64 `json:"in"` // packets that it was asked about
	Passed uint64 `json:"passed"`
}

// A lineObject is a line of the books in JSON.
type lineObject struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// A sumObject is the last line in JSON.
type sumObject struct {
	Kind       string `json:"kind"`
	Stages     int    `json:"stages"`
	Unbalanced int    `json:"unbalanced"`
	Lost       uint64 `json:"lost"`
	Balance    bool   `json:"balance"`
}

// enterFlow enters a flow and its functions. A flow that is not connected yet,
// or was closed meanwhile, has no books.
func (l *ledger) enterFlow(ctx context.Context, client *mapi.Client, f mapi.FlowInfo) {
	if l.err != nil || f.Books == nil {
		return
	}
	functions, err := client.FlowFunctions(ctx, f.FD)
	if is(err, mapi.ErrFunctionInfo, mapi.ErrInvalidFlow) {
		return
	}
	l.err = err
	name := fmt.Sprintf("flow %d of user %d on %s", f.FD, f.UID, f.Device)
	if f.Status == mapi.FlowFinished {
		name += " (ended)"
	}
	at := place{Device: f.Device, UID: &f.UID, FD: &f.FD}
	l.enter(name, at, f.Books)
	for _, fn := range functions {
		stage := fmt.Sprintf("%s, function %d %s", name, fn.FID, fn.Name)
		if fn.Books == nil {
			l.ask(stage, at.of(fn), fn)
			continue
		}
		l.enter(stage, at.of(fn), fn.Books)
	}
}

// enter prints the books of a stage and adds them to the sum.
func (l *ledger) enter(stage string, at place, b *mapi.Books) {
	if l.err != nil {
		return
	}
	l.stages++
	l.lost += b.Lost()
	for _, n := range b.Notes {
		if n.Name == books.LostClosedFlows {
			l.lost += n.Value
		}
	}
	if !b.Balances() {
		l.unbalanced++
	}
	if l.json {
		l.err = writeJSON(l.stdout, stageObject{
			Kind: "stage", Stage: stage, place: at, Opening: b.Opening, In: b.In, Out: lineObjects(b.Out), Notes: lineObjects(b.Notes),
			Moved: b.Moved, Missing: b.Missing(), Balances: b.Balances(),
		})
		return
	}
	l.err = l.print(stage, b)
}

// ask prints the packets that a leading filter was asked about and passed. It
// has no books: rejected packets are never touched, so nothing counts them.
func (l *ledger) ask(stage string, at place, fn mapi.FunctionInfo) {
	switch {
	case l.err != nil:
	case l.json:
		l.err = writeJSON(l.stdout, filterObject{Kind: "filter", Stage: stage, place: at, In: fn.Packets, Passed: fn.Passed})
	default:
		_, l.err = fmt.Fprintf(l.stdout, "%s: asked about %d, passed %d\n", printable(stage), fn.Packets, fn.Passed)
	}
}

// print writes the books of a stage for people.
func (l *ledger) print(stage string, b *mapi.Books) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s", printable(stage), packets(b.In))
	switch {
	case !b.Balances():
		fmt.Fprintf(&text, ", %d UNACCOUNTED FOR", b.Missing())
	case b.Moved > 0:
		fmt.Fprintf(&text, ", up to %d in transit", b.Moved)
	}
	text.WriteByte('\n')
	for _, o := range b.Out {
		fmt.Fprintf(&text, "%16d  %s\n", o.Value, printable(o.Name))
	}
	for _, n := range b.Notes {
		if n.Value != 0 {
			fmt.Fprintf(&text, "%16d  (%s)\n", n.Value, printable(n.Name))
		}
	}
	_, err := l.stdout.Write([]byte(text.String()))
	return err
}

// close prints whether all books balance.
func (l *ledger) close() error {
	switch {
	case l.err != nil:
		return l.err
	case l.json:
		l.err = writeJSON(l.stdout, sumObject{
			Kind: "sum", Stages: l.stages, Unbalanced: l.unbalanced, Lost: l.lost, Balance: l.unbalanced == 0,
		})
	case l.stages == 0:
		_, l.err = fmt.Fprintln(l.stdout, "no books: no device is open")
	case l.unbalanced == 0:
		which := fmt.Sprintf("all %d stages", l.stages)
		if l.stages == 1 {
			which = "the one stage"
		}
		_, l.err = fmt.Fprintf(l.stdout, "the books of %s balance; %s lost\n", which, packets(l.lost))
	default:
		_, l.err = fmt.Fprintf(l.stdout, "the books of %d of %d stages do not balance; %s lost\n", l.unbalanced, l.stages, packets(l.lost))
	}
	if l.err == nil && l.unbalanced > 0 {
		return errUnbalanced
	}
	return l.err
}

// packets formats a number of packets.
func packets(n uint64) string { return counted(n, "packets") }

// lineObjects returns an empty list, not nil, if there are no lines.
func lineObjects(lines []mapi.Counter) []lineObject {
	out := make([]lineObject, len(lines))
	for i, c := range lines {
		out[i] = lineObject(c)
	}
	return out
}
