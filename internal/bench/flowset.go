package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// A call applies a function.
type call struct {
	function string
	args     []any
}

func filterCall(expression string) call { return call{"BPF_FILTER", []any{expression}} }

// filterCalls and filterTasks are the same filters for mapid and for libpcap.
func filterCalls(filters []string) (calls []call) {
	for _, f := range filters {
		calls = append(calls, filterCall(f))
	}
	return calls
}

func filterTasks(filters []string) (tasks []string) {
	for _, f := range filters {
		tasks = append(tasks, "f "+f)
	}
	return tasks
}

// A member is a flow that begins with one function and counts packets and bytes.
type member struct {
	flow           *mapi.Flow
	packets, bytes *mapi.Function
}

// join makes and connects a member.
func join(ctx context.Context, c *mapi.Client, device string, first call) (m member, err error) {
	if m.flow, err = c.CreateFlow(ctx, device); err != nil {
		return m, err
	}
	if _, err = m.flow.Apply(ctx, first.function, first.args...); err != nil {
		return m, err
	}
	if m.packets, err = m.flow.Apply(ctx, "PKT_COUNTER"); err != nil {
		return m, err
	}
	if m.bytes, err = m.flow.Apply(ctx, "BYTE_COUNTER"); err != nil {
		return m, err
	}
	return m, m.flow.Connect(ctx)
}

// hands is how many goroutines of a program set up its flows.
const hands = 16

// joinAll makes a member for each call, all of one client.
func joinAll(ctx context.Context, c *mapi.Client, device string, calls []call) ([]member, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	members := make([]member, len(calls))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(hands, len(calls)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(calls) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				m, err := join(ctx, c, device, calls[i])
				if err != nil {
					cancel(fmt.Errorf("flow %d of %d, %v: %w", i+1, len(calls), calls[i], err))
					return
				}
				members[i] = m
			}
		})
	}
	wg.Wait()
	return members, context.Cause(ctx)
}

// counted reads what all members have counted.
func counted(members []member) ([]tracegen.Count, error) {
	all := make([]tracegen.Count, len(members))
	for i, m := range members {
		var err error
		if all[i].Packets, err = m.packets.Uint64(); err != nil {
			return nil, err
		}
		if all[i].Bytes, err = m.bytes.Uint64(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sumOf adds up the packets.
func sumOf(counts []tracegen.Count) (n uint64) {
	for _, c := range counts {
		n += c.Packets
	}
	return n
}

// compareCounts returns an error when who has not counted what it must.
func compareCounts(who string, got, want []tracegen.Count) error {
	wrong, first := 0, 0
	for i := range want {
		if got[i] != want[i] {
			if wrong++; wrong == 1 {
				first = i
			}
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%s: %d of %d counters are wrong, the first is that of flow %d: %+v, want %+v",
			who, wrong, len(want), first+1, got[first], want[first])
	}
	return nil
}
