package main

import (
	"context"
	"fmt"
	"time"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// A tally counts the packets that were taken from the buffer.
type tally struct {
	taken   uint64 // packets
	written uint64 // packets, part of taken
	leftOut uint64 // packets, not part of taken
}

// report prints the summary on standard error, like tcpdump: packets captured,
// and packets lost since before. For a file it prints only missing packets.
func (d *dumping) report(ctx context.Context, client *mapi.Client, before map[string]uint64, n tally, within time.Duration) {
	if n.leftOut > 0 {
		fmt.Fprintf(d.stderr, "mapi: %s\n", counted(n.leftOut, "packets of other link types left out"))
	}
	if d.file != "" {
		d.tellTimes(ctx, client, d.flow.Device())
		if ctx.Err() != nil {
			fmt.Fprintln(d.stderr, "mapi: ended before the end of the file")
		}
		return
	}
	ctx, cancel := lastQuestions(ctx, within)
	defer cancel()
	fmt.Fprintf(d.stderr, "%s\n", counted(n.written, "packets captured"))
	if lost := n.taken - n.written; lost > 0 {
		fmt.Fprintf(d.stderr, "%s\n", counted(lost, "packets not written"))
	}
	if more := left(ctx, d.buffer, n.taken+n.leftOut); more > 0 {
		fmt.Fprintf(d.stderr, "%s\n", counted(more, "packets left in the buffer"))
	}
	if n, err := d.buffer.Lost(); err == nil {
		fmt.Fprintf(d.stderr, "%s\n", counted(n, "packets lost for this buffer"))
	}
	d.tellLosses(ctx, client, d.flow.Device(), before, books.LostRing)
}

// reportLate makes limit print the report if the call is given up because a
// write hangs.
func (d *dumping) reportLate(ctx context.Context, client *mapi.Client, before map[string]uint64) {
	lastly := func() {
		if n := d.sink.shown.Load(); n != nil {
			d.report(ctx, client, before, *n, lastWord/2)
		}
	}
	d.lastly.Store(&lastly)
}
