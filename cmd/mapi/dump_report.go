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
// flows, since it was opened, and of those that arrived. They are nil for files, and
// when the daemon does not tell.
func (d *dumping) losses(ctx context.Context, client *mapi.Client) map[string]uint64 {
	if d.file != "" {
		return nil
	}
	b, err := client.Books(ctx, d.flow.Device())
	if err != nil {
		return nil
	}
	lost := map[string]uint64{arrived: b.In}
	for _, l := range append(b.Out, b.Notes...) {
		if strings.HasPrefix(l.Name, "lost: ") || strings.HasPrefix(l.Name, "before: ") || l.Name == books.DroppedInterface {
			lost[l.Name] = l.Value
		}
	}
	return lost
}

// arrived stands for what the device received. No line of books has this name.
const arrived = ""

// since returns what has been lost between two readings. They do not compare when one
// is missing, or a count is lower than before: the device was opened anew.
func since(before, now map[string]uint64) (lost map[string]uint64, ok bool) {
	if before == nil || now == nil {
		return nil, false
	}
	lost = make(map[string]uint64)
	for name, n := range now {
		if n < before[name] {
			return nil, false
		}
		lost[name] = n - before[name]
	}
	return lost, true
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
	fmt.Fprintf(d.stderr, "%d packets captured\n", d.sink.written)
	if n, err := d.buffer.Lost(); err == nil {
		fmt.Fprintf(d.stderr, "%d packets lost for this buffer\n", n)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	lost, ok := since(before, d.losses(ctx, client))
	if !ok {
		fmt.Fprintln(d.stderr, "mapi: how many packets the device lost is not known: it was opened anew, or the daemon did not tell")
	}
	for _, e := range books.Glossary() {
		if n, known := lost[e.Name]; known && (n > 0 || e.Name == books.LostRing) {
			fmt.Fprintf(d.stderr, "%d packets %s\n", n, e.Name)
		}
	}
}
