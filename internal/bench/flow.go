package main

import (
	"context"
	"strconv"
	"strings"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// Functions that flows have behind the one of their task.
var (
	counters = []string{"PKT_COUNTER", "BYTE_COUNTER"}
	counter  = counters[:1]
)

// leading returns the function of a task, as libpcap/programs.c has them, and its arguments;
// "" when the task is "", all packets.
func leading(task string) (function string, args []any) {
	kind, text, _ := strings.Cut(task, " ")
	switch kind {
	case "f":
		return "BPF_FILTER", []any{text}
	case "s":
		return "STR_SEARCH", []any{text, 0, 0}
	case "p":
		return "SAMPLE", []any{must(strconv.Atoi(text)), mapi.SamplePeriodic}
	}
	return "", nil
}

// A flow has functions by their names.
type flow struct {
	*mapi.Flow
	functions map[string]*mapi.Function
}

// newFlow makes a flow that does a task, and connects it.
func newFlow(ctx context.Context, c *mapi.Client, device, task string, functions ...string) flow {
	f := flow{must(c.CreateFlow(ctx, device)), make(map[string]*mapi.Function)}
	if name, args := leading(task); name != "" {
		if _, err := f.Apply(ctx, name, args...); err != nil {
			fail("%s: %w", task, err)
		}
	}
	for _, name := range functions {
		f.functions[name] = must(f.Apply(ctx, name))
	}
	check(f.Connect(ctx))
	return f
}

// newBuffer makes a flow and returns its TO_BUFFER.
func newBuffer(ctx context.Context, c *mapi.Client, device, task string) *mapi.Function {
	return newFlow(ctx, c, device, task, "TO_BUFFER").functions["TO_BUFFER"]
}

// count reads what a flow has counted: packets, and bytes when it counts them.
func (f flow) count() (c tracegen.Count) {
	c.Packets = must(f.functions["PKT_COUNTER"].Uint64())
	if bytes := f.functions["BYTE_COUNTER"]; bytes != nil {
		c.Bytes = must(bytes.Uint64())
	}
	return c
}
