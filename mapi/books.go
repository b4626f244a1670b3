package mapi

import (
	"context"
	"strings"

	"gomapi/internal/books"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// Books account for the packets of a device, a flow or a function: each packet
// of In is in exactly one line of Out, except for up to Moved packets that were
// in transit while the books were read. docs/accounting.md explains the lines.
//
//	b, err := client.Books(ctx, "eth0")
//	fmt.Println(b.In, b.Lost(), b.Balances())
type Books = books.Stage

// A Counter is one line of Books.
type Counter = books.Line

// Books returns the books of an open device: a live device that a flow uses, or
// an offline device of the client. Errors: 6157 empty name, 3200 no such
// device, 8004 no flow uses the device, 5123 remote scopes, which are not
// available.
func (c *Client) Books(ctx context.Context, device string) (Books, error) {
	b, err := c.books(ctx, device)
	return b, c.fail(err, "books of device %q", device)
}

func (c *Client) books(ctx context.Context, device string) (Books, error) {
	if device == "" {
		return Books{}, mapierr.New(ErrDeviceInfo, "the device name is empty")
	}
	l, err := c.connection(ctx)
	if err != nil {
		return Books{}, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_DeviceBooks{
		DeviceBooks: &wire.DeviceBooksQuery{Device: text(device)},
	}})
	if isCode(err, ErrNoDriver) && strings.Contains(device, ":") {
		return Books{}, noScopes(err)
	}
	if err != nil {
		return Books{}, err
	}
	b := fromWire(resp.GetDeviceBooks())
	if b == nil {
		return Books{}, errAnswer
	}
	return *b, nil
}

// fromWire converts books; nil stays nil.
func fromWire(w *wire.Books) *Books {
	if w == nil {
		return nil
	}
	return &Books{In: w.In, Out: lines(w.Out), Notes: lines(w.Notes), Moved: w.Moved, Opening: w.Opening}
}

func lines(counters []*wire.Counter) (out []Counter) {
	for _, c := range counters {
		out = append(out, Counter{Name: c.Name, Value: c.Value})
	}
	return out
}
