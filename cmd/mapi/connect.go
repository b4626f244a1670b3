package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"gomapi/internal/mapierr"
	"gomapi/mapi"
)

// withDaemon calls do with a client of the daemon that the user means: the one
// at the socket that --socket or MAPI_SOCKET names; else the one of this host;
// else, and at once where alone or --private asks for it, one of its own, which
// ends with the call.
func (t *tool) withDaemon(ctx context.Context, alone bool, do func(*mapi.Client) error) error {
	named := t.socket != "" || os.Getenv("MAPI_SOCKET") != ""
	if t.private || alone && !named {
		return t.withPrivate(ctx, do)
	}
	client := &mapi.Client{Socket: t.socket}
	defer client.Close()
	err := greet(ctx, client)
	switch {
	case err == nil:
		return do(client)
	case named || !errors.Is(err, mapi.ErrCommInitSocket) || ctx.Err() != nil:
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
	ended := p.end()
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
