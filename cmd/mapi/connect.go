package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"gomapi/internal/mapierr"
	"gomapi/mapi"
)

// A source selects the daemons that can answer a call.
type source int

const (
	anyDaemon  source = iota // the daemon of this host, else a private one
	hostDaemon               // the daemon of this host, because the call asks about it
	ownDaemon                // a private daemon
)

// maxSocket is the maximum length of a socket path in bytes: sun_path of
// unix(7) has 108, including the final NUL.
const maxSocket = 107

// withDaemon calls do with a client of the daemon that the user selects:
//
//   - the one at --socket;
//   - with --private or for ownDaemon, a private one that ends with the call;
//   - the one at MAPI_SOCKET;
//   - the one of this host.
//
// If no daemon runs on this host, a call with anyDaemon gets a private one. A
// daemon that runs but refuses the call is never replaced silently.
func (t *tool) withDaemon(ctx context.Context, from source, do func(*mapi.Client) error) error {
	if t.private || from == ownDaemon && t.socket == "" {
		return t.withPrivate(ctx, do)
	}
	named := cmp.Or(t.socket, os.Getenv("MAPI_SOCKET"))
	if len(named) > maxSocket {
		return usageError{fmt.Errorf("the socket path has %d bytes, the maximum is %d: %s", len(named), maxSocket, named)}
	}
	client := &mapi.Client{Socket: named}
	defer client.Close()
	err := greet(ctx, client)
	switch {
	case err == nil:
		return do(client)
	case named != "" || from == hostDaemon || !absent(err) || ctx.Err() != nil:
		return err
	}
	fmt.Fprintf(t.stderr, "mapi: %s; starting a private mapid for this call\n", printable(reason(err)))
	return t.withPrivate(ctx, do)
}

// withPrivate calls do with a client of a private daemon that ends afterwards.
func (t *tool) withPrivate(ctx context.Context, do func(*mapi.Client) error) error {
	p, err := startPrivate()
	if err != nil {
		return err
	}
	client := &mapi.Client{Dial: p.dial}
	refused := greet(ctx, client)
	if refused == nil {
		err = do(client)
	}
	client.Close()
	ended := p.end(ctx)
	switch {
	case refused == nil:
		return err
	case ctx.Err() != nil:
		return refused
	case ended == nil:
		ended = refused
	}
	_, _ = t.stderr.Write(p.stderr)
	return mapierr.Wrap(mapi.ErrCommInitSocket, p.cmd.Path+" did not start", ended)
}

// greet connects the client by means of the cheapest request.
func greet(ctx context.Context, c *mapi.Client) error {
	_, err := c.Libraries(ctx)
	var e *mapi.Error
	if errors.As(err, &e) {
		return &mapi.Error{Op: "reach mapid", Code: e.Code, Err: e.Err}
	}
	return err
}

// reason is the text of err without the name of the call that failed.
func reason(err error) string {
	var e *mapi.Error
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
