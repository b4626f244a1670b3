package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// reportTime bounds the questions after the last packet. It is a part of patience.
const reportTime = patience / 2

// lastQuestions returns a context for questions after the last packet, also when the
// call has been ended.
func lastQuestions(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), within)
}

// losses are what the books of a device say of packets that never came to the
// flows, since it was opened, of those that wait, and of those that arrived. They are
// nil when the daemon does not tell.
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

// arrived stands for what the device received. No line of books has this name.
const arrived = ""

// since returns what has been lost between two readings, and what waits now. They do
// not compare when one is missing, or a count is lower than before: the device was
// opened anew.
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

// tellLosses says on standard error what a device has lost since before, in the words
// of its books; of the lines in always also that they are 0.
func (t *tool) tellLosses(ctx context.Context, client *mapi.Client, device string, before map[string]uint64, always ...string) {
	lost, ok := since(before, losses(ctx, client, device))
	if !ok {
		fmt.Fprintln(t.stderr, "mapi: how many packets the device lost is not known: it was opened anew, or the daemon did not tell")
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

// left returns how many packets or entries wait in a buffer of which some were taken.
// It is 0 when the daemon does not tell.
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

// tellTimes says on standard error how many packets of a file have times that cannot
// be told.
func (t *tool) tellTimes(ctx context.Context, client *mapi.Client, file string) {
	ctx, cancel := lastQuestions(ctx, reportTime/2)
	defer cancel()
	b, err := client.Books(ctx, file)
	if err != nil {
		return
	}
	for _, l := range b.Notes {
		if l.Name == books.OfWhichOutOfTime && l.Value > 0 {
			fmt.Fprintf(t.stderr, "mapi: %s: they count as of the first or the last moment of packet time\n",
				counted(l.Value, "packets "+strings.TrimPrefix(l.Name, "of which ")))
		}
	}
}
