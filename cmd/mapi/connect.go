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

// A source says which daemon can answer a call.
type source int

const (
	anyDaemon  source = iota // the one of this host, else one of its own
	hostDaemon               // the one of this host: what is asked for is there
	ownDaemon                // one of its own
)

// maxSocket bounds the path of a socket in bytes: sun_path of unix(7) has 108,
// with a NUL at the end.
const maxSocket = 107

// withDaemon calls do with a client of the daemon that the user means: the one
// at the socket that --socket names; else, with --private or for ownDaemon, one
// that ends with the call; else the one at MAPI_SOCKET; else the one of this
// host. Where none runs there a call that any daemon can answer gets one of its
// own. Another that runs and refuses is not replaced in silence.
func (t *tool) withDaemon(ctx context.Context, from source, do func(*mapi.Client) error) error {
	if t.private || from == ownDaemon && t.socket == "" {
		return t.withPrivate(ctx, do)
	}
	named := cmp.Or(t.socket, os.Getenv("MAPI_SOCKET"))
	if len(named) > maxSocket {
		return usageError{fmt.Errorf("the path of the socket has %d bytes, %d are possible: %s", len(named), maxSocket, named)}
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
	fmt.Fprintf(t.stderr, "mapi: %s; this call uses one of its own\n", printable(reason(err)))
	return t.withPrivate(ctx, do)
}

// withPrivate calls do with a client of a daemon that lives as long as that.
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
	return mapierr.Wrap(mapi.ErrCommInitSocket, p.cmd.Path+" does not start", ended)
}

// greet connects the client. The cheapest question does it.
func greet(ctx context.Context, c *mapi.Client) error {
	_, err := c.Libraries(ctx)
	var e *mapi.Error
	if errors.As(err, &e) {
		return &mapi.Error{Op: "reach mapid", Code: e.Code, Err: e.Err}
	}
	return err
}

// reason is the text of err without the call that failed.
func reason(err error) string {
	var e *mapi.Error
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
