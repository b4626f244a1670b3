package main

import (
	"context"
	"fmt"
	"strings"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// reportTime bounds the questions after the last packet. It is a part of patience.
const reportTime = patience / 2

// losses are what the books of the device say of packets that never came to the
// flows, since it was opened. They are nil for files, and when the daemon is gone.
func (d *dumping) losses(ctx context.Context, client *mapi.Client) map[string]uint64 {
	if d.file != "" {
		return nil
	}
	b, err := client.Books(ctx, d.flow.Device())
	if err != nil {
		return nil
	}
	lost := make(map[string]uint64)
	for _, l := range append(b.Out, b.Notes...) {
		if strings.HasPrefix(l.Name, "lost: ") || strings.HasPrefix(l.Name, "before: ") {
			lost[l.Name] = l.Value
		}
	}
	return lost
}

// report says on standard error what tcpdump says at the end: how many packets there
// were, and those lost since before. Of a file there is something to say only when
// packets of it are missing.
func (d *dumping) report(ctx context.Context, client *mapi.Client, before map[string]uint64) {
	if d.sink.leftOut > 0 {
		fmt.Fprintf(d.stderr, "mapi: %d packets of other link types left out\n", d.sink.leftOut)
	}
	if d.file != "" {
		if ctx.Err() != nil {
			fmt.Fprintln(d.stderr, "mapi: ended before the end of the file")
		}
		return
	}
	fmt.Fprintf(d.stderr, "%d packets captured\n", d.sink.taken)
	if n, err := d.buffer.Lost(); err == nil {
		fmt.Fprintf(d.stderr, "%d packets lost for this buffer\n", n)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	now := d.losses(ctx, client)
	for _, e := range books.Glossary() {
		n, known := now[e.Name]
		if n -= before[e.Name]; known && (n > 0 || e.Name == books.LostRing) {
			fmt.Fprintf(d.stderr, "%d packets %s\n", n, e.Name)
		}
	}
}
