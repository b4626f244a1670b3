package mapi

import (
	"context"
	"os"
	"sync/atomic"

	"gomapi/internal/mapierr"
	"gomapi/internal/spin"
	"gomapi/internal/wire"
)

// givenUp says that a call ended without a response: the daemon may or may not
// have handled the request.
type givenUp struct{ error }

func (g givenUp) Error() string { return "gave up waiting for mapid: " + g.error.Error() }
func (g givenUp) Unwrap() error { return g.error }

// response is a response with its files.
type response struct {
	*wire.Response
	files []*os.File
}

// calls is the number of calls in progress in this program. A call spins only
// if it is the only one: others need the CPUs.
var calls atomic.Int32

// call sends a request and waits for its response, which must have no files. It
// takes ownership of the files of the request.
func (l *link) call(ctx context.Context, req *wire.Request, files ...*os.File) (*wire.Response, error) {
	resp, err := l.exchange(ctx, req, files...)
	wire.CloseAll(resp.files)
	return resp.Response, err
}

// exchange is call for responses with files. The caller owns these.
func (l *link) exchange(ctx context.Context, req *wire.Request, files ...*os.File) (response, error) {
	if ctx.Err() != nil {
		wire.CloseAll(files)
		return response{}, gaveUp("not sent", ctx)
	}
	if err := l.err(); err != nil {
		wire.CloseAll(files)
		return response{}, err
	}
	ch := make(chan response, 1)
	l.mu.Lock()
	l.lastID++
	req.Id = l.lastID
	l.pending[req.Id] = ch
	l.mu.Unlock()
	alone := calls.Add(1) == 1
	defer calls.Add(-1)
	if !alone {
		l.enqueue(outgoing{req, files})
	} else {
		l.converse(outgoing{req, files}, ch)
	}
	select {
	case resp := <-ch:
		return answer(resp)
	case <-l.lost:
		select {
		case resp := <-ch: // it arrived just in time
			return answer(resp)
		default:
			return response{}, l.err()
		}
	case <-ctx.Done():
		return l.giveUp(ctx, req.Id, ch)
	}
}

// converse sends a request and spins for a moment for the response, without
// waking the receiver.
func (l *link) converse(o outgoing, answered <-chan response) {
	l.conn.Mute()
	defer l.conn.Unmute()
	l.enqueue(o)
	spin.Until(func() bool {
		l.take()
		return len(answered) > 0 || calls.Load() > 1 || l.err() != nil
	})
}

// giveUp leaves the response to deliver, which undoes its effects, unless the
// response has arrived meanwhile.
func (l *link) giveUp(ctx context.Context, id uint64, ch chan response) (response, error) {
	l.mu.Lock()
	_, waiting := l.pending[id]
	if waiting {
		l.pending[id] = nil
	}
	l.mu.Unlock()
	if !waiting {
		return answer(<-ch)
	}
	return response{}, &mapierr.Error{Code: ErrCanceled, Err: givenUp{ctx.Err()}}
}

// deliver passes a response to its caller. If the caller has given up, it
// undoes the effects of the response.
func (l *link) deliver(resp response) {
	l.mu.Lock()
	ch, ok := l.pending[resp.Id]
	delete(l.pending, resp.Id)
	l.mu.Unlock()
	switch {
	case ch != nil:
		ch <- resp // never blocks
	case ok:
		wire.CloseAll(resp.files)
		l.undo(resp.Response)
	default:
		wire.CloseAll(resp.files)
	}
}

// undo undoes the effects of a late response. Nobody waits for the answer.
func (l *link) undo(resp *wire.Response) {
	req := &wire.Request{}
	switch r := resp.Result.(type) {
	case *wire.Response_FlowCreated:
		req.Call = &wire.Request_CloseFlow{CloseFlow: &wire.CloseFlow{Fd: r.FlowCreated.Fd}}
	case *wire.Response_OfflineDeviceCreated:
		req.Call = &wire.Request_DeleteOfflineDevice{DeleteOfflineDevice: &wire.DeleteOfflineDevice{Name: r.OfflineDeviceCreated.Name}}
	default:
		return // functions end with their flow, which its owner must close
	}
	l.mu.Lock()
	l.lastID++
	req.Id = l.lastID
	l.mu.Unlock()
	l.enqueue(outgoing{req: req})
}

// answer converts a response with an error to an error.
func answer(resp response) (response, error) {
	if resp.Error != nil {
		wire.CloseAll(resp.files)
		return response{}, remoteError(resp.Error)
	}
	return resp, nil
}

// remoteError converts an error of the daemon.
func remoteError(e *wire.Error) error { return mapierr.New(Code(e.Code), "%s", e.Text) }
