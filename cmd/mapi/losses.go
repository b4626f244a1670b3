package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// reportTime bounds the queries after the last packet. It is part of patience.
const reportTime = patience / 2

// lastQuestions returns a context for queries after the last packet. It stays
// usable after the call was interrupted.
func lastQuestions(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), within)
}

// losses returns the lines of a device's books about lost, waiting and arrived
// packets since the device was opened. It returns nil if the daemon does not
// answer.
func losses(ctx context.Context, client *mapi.Client, device string) map[string]uint64 {
	b, err := client.Books(ctx, device)
	if err != nil {
		return nil
	}
	lost := map[string]uint64{arrived: b.In}
	for _, l := range append(b.Out, b.Notes...) {
		if strings.HasPrefix(l.Name, "lost: ") || strings.HasPrefix(l.Name, "before: ") ||
			l.Name == books.DroppedInterface || l.Name == books.Waiting {
			lost[l.Name] = l.Value
		}
	}
	return lost
}

// arrived is the key of the packets that the device received. No line of the
// books has this name.
const arrived = ""

// since returns the packets lost between two readings, and those that wait now.
// It reports false if a reading is missing or a count has decreased, because
// the device was reopened.
func since(before, now map[string]uint64) (lost map[string]uint64, ok bool) {
	if before == nil || now == nil {
		return nil, false
	}
	lost = make(map[string]uint64)
	for name, n := range now {
		switch {
		case name == books.Waiting:
			lost[name] = n
		case n < before[name]:
			return nil, false
		default:
			lost[name] = n - before[name]
		}
	}
	return lost, true
}

// tellLosses prints the packets that a device has lost since before, with the
// names of its books. It prints lines in always even if they are 0.
func (t *tool) tellLosses(ctx context.Context, client *mapi.Client, device string, before map[string]uint64, always ...string) {
	lost, ok := since(before, losses(ctx, client, device))
	if !ok {
		fmt.Fprintln(t.stderr, "mapi: the number of packets that the device lost is unknown: the device was reopened, or the daemon did not answer")
	}
	for _, name := range always {
		if lost[name] == 0 && ok {
			fmt.Fprintf(t.stderr, "0 packets %s\n", name)
		}
	}
	for _, e := range books.Glossary() {
		if n := lost[e.Name]; n > 0 {
			fmt.Fprintln(t.stderr, counted(n, "packets "+e.Name))
		}
	}
}

// left returns how many packets or entries still wait in a buffer. It returns 0
// if the daemon does not answer.
func left(ctx context.Context, buffer *mapi.Function, taken uint64) uint64 {
	info, err := buffer.Info(ctx)
	if err != nil || info.Books == nil {
		return 0
	}
	for _, l := range info.Books.Out {
		if l.Name == books.Written {
			return l.Value - min(taken, l.Value)
		}
	}
	return 0
}

// tellTimes prints how many packets of a file have times outside the range of
// packet time.
func (t *tool) tellTimes(ctx context.Context, client *mapi.Client, file string) {
	ctx, cancel := lastQuestions(ctx, reportTime/2)
	defer cancel()
	b, err := client.Books(ctx, file)
	if err != nil {
		return
	}
	for _, l := range b.Notes {
		if l.Name == books.OfWhichOutOfTime && l.Value > 0 {
			fmt.Fprintf(t.stderr, "mapi: %s: their time is set to the first or last moment of packet time\n",
				counted(l.Value, "packets "+strings.TrimPrefix(l.Name, "of which ")))
		}
	}
}
