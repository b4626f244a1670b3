package mapi

import (
	"context"
	"net"
	"sync"

	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
	"gomapi/internal/wire"
)

// link is one connection to a daemon: requests out, responses and events in,
// and the memory with the results.
type link struct {
	conn   *wire.Conn
	view   *shm.View
	lost   chan struct{} // closed when the connection is no more
	reader sync.WaitGroup

	mu      sync.Mutex
	reason  error // why lost is closed
	lastID  uint64
	pending map[uint64]chan *wire.Response // nil channel: the caller has given up
	devices map[string]*ending             // by name
}

// greet says hello on a fresh connection and takes it over.
func greet(ctx context.Context, sock *net.UnixConn) (*link, error) {
	stop := context.AfterFunc(ctx, func() { sock.Close() })
	defer stop()
	l := &link{
		conn:    wire.NewConn(sock),
		lost:    make(chan struct{}),
		lastID:  1,
		pending: make(map[uint64]chan *wire.Response),
		devices: make(map[string]*ending),
	}
	if err := l.hello(); err != nil {
		sock.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, mapierr.Wrap(mapierr.CodeOf(err, ErrCommSocket), "greet mapid", err)
	}
	l.reader.Go(l.read) // close waits for it
	return l, nil
}

// hello exchanges the first messages and maps the results.
func (l *link) hello() error {
	req := &wire.Request{Id: l.lastID, Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version}}}
	if err := l.conn.Send(req); err != nil {
		return err
	}
	resp := &wire.Response{}
	files, err := l.conn.Receive(resp)
	if err != nil {
		return err
	}
	if resp.Error != nil {
		wire.CloseAll(files)
		return remoteError(resp.Error)
	}
	if resp.GetWelcome() == nil || len(files) != 1 {
		wire.CloseAll(files)
		return mapierr.New(ErrCommUnknown, "answer is no welcome with result memory")
	}
	if l.view, err = shm.NewView(files[0]); err != nil {
		files[0].Close()
		return mapierr.Wrap(ErrNoResult, "result memory", err)
	}
	return nil
}

// err returns why the connection is lost, nil while it stands.
func (l *link) err() error {
	select {
	case <-l.lost:
		return l.reason
	default:
		return nil
	}
}

// close ends the connection and waits for the reader.
func (l *link) close() {
	l.conn.Close()
	l.reader.Wait()
	l.view.Close()
}

// read takes what the daemon sends until the connection ends.
func (l *link) read() {
	for {
		resp := &wire.Response{}
		files, err := l.conn.Receive(resp)
		wire.CloseAll(files) // none are expected
		if err == nil && resp.Id == 0 && resp.Error != nil {
			err = remoteError(resp.Error) // the daemon hangs up
		}
		if err != nil {
			l.lose(err)
			return
		}
		if resp.Id == 0 {
			l.event(resp)
		} else {
			l.deliver(resp)
		}
	}
}

// lose marks the connection as lost and wakes everybody who waits on it.
func (l *link) lose(err error) {
	l.conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason = mapierr.Wrap(ErrCommSocket, "connection to mapid lost", err)
	close(l.lost)
}

// deliver hands a response to its caller, or undoes what a caller who has given
// up no longer wants.
func (l *link) deliver(resp *wire.Response) {
	l.mu.Lock()
	ch, ok := l.pending[resp.Id]
	delete(l.pending, resp.Id)
	l.mu.Unlock()
	switch {
	case ch != nil:
		ch <- resp // has room for it
	case ok:
		l.undo(resp)
	}
}

// undo gives back what a late response brings.
func (l *link) undo(resp *wire.Response) {
	req := &wire.Request{}
	switch r := resp.Result.(type) {
	case *wire.Response_FlowCreated:
		req.Call = &wire.Request_CloseFlow{CloseFlow: &wire.CloseFlow{Fd: r.FlowCreated.Fd}}
	case *wire.Response_OfflineDeviceCreated:
		req.Call = &wire.Request_DeleteOfflineDevice{DeleteOfflineDevice: &wire.DeleteOfflineDevice{Name: r.OfflineDeviceCreated.Name}}
	default:
		return
	}
	l.mu.Lock()
	l.lastID++
	req.Id = l.lastID // nobody waits for the answer
	l.mu.Unlock()
	_ = l.conn.Send(req) // a lost connection undoes it as well
}
