package main

import (
	"context"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// A call applies a function: its name, and its arguments.
type call []any

// counters are the calls of a flow that counts what the first ones let pass.
func counters(first ...call) []call { return append(first, call{"PKT_COUNTER"}, call{"BYTE_COUNTER"}) }

func filter(expression string) call { return call{"BPF_FILTER", expression} }

// filterTask is what libpcap/programs.c is told to count what a filter lets pass.
func filterTask(expression string) string { return "f " + expression }

// A flow has functions that are read.
type flow struct {
	*mapi.Flow
	packets, bytes, buffer *mapi.Function
}

// newFlow makes a flow and connects it.
func newFlow(ctx context.Context, c *mapi.Client, device string, calls ...call) (f flow) {
	f.Flow = must(c.CreateFlow(ctx, device))
	for _, call := range calls {
		name := call[0].(string)
		fn, err := f.Apply(ctx, name, call[1:]...)
		if err != nil {
			fail("%v: %w", call, err)
		}
		switch name {
		case "PKT_COUNTER":
			f.packets = fn
		case "BYTE_COUNTER":
			f.bytes = fn
		case "TO_BUFFER":
			f.buffer = fn
		}
	}
	check(f.Connect(ctx))
	return f
}

// countsOf reads what flows have counted.
func countsOf(flows []flow) []tracegen.Count {
	all := make([]tracegen.Count, len(flows))
	for i, f := range flows {
		all[i].Packets = must(f.packets.Uint64())
		if f.bytes != nil {
			all[i].Bytes = must(f.bytes.Uint64())
		}
	}
	return all
}
