package mapi

import (
	"context"
	"os"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// call sends a request and waits for its response.
func (l *link) call(ctx context.Context, req *wire.Request, files ...*os.File) (*wire.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, mapierr.Wrap(ErrCommSocket, "not sent", err)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	ch := make(chan *wire.Response, 1)
	l.mu.Lock()
	l.lastID++
	req.Id = l.lastID
	l.pending[req.Id] = ch
	l.mu.Unlock()
	if err := l.conn.Send(req, files...); err != nil {
		l.forget(req.Id)
		return nil, mapierr.Wrap(ErrCommSocket, "request", err)
	}
	select {
	case resp := <-ch:
		return resp, responseError(resp)
	case <-l.lost:
		return nil, l.err()
	case <-ctx.Done():
		return nil, l.giveUp(ctx, req.Id)
	}
}

// giveUp leaves a request to deliver, which undoes what it brings.
func (l *link) giveUp(ctx context.Context, id uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.pending[id]; ok {
		l.pending[id] = nil
	}
	return mapierr.Wrap(ErrCommSocket, "gave up waiting for mapid", ctx.Err())
}

func (l *link) forget(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, id)
}

func responseError(resp *wire.Response) error {
	if resp.Error != nil {
		return remoteError(resp.Error)
	}
	return nil
}

// remoteError makes an error of what the daemon says.
func remoteError(e *wire.Error) error { return mapierr.New(Code(e.Code), "%s", e.Text) }
