package mapi

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
	"gomapi/internal/wire"
)

// link is one connection to a daemon: requests out, responses and events in,
// and the memory with the results. One goroutine sends and one receives, so
// that no caller waits for the other end longer than its context.
type link struct {
	conn    *wire.Conn
	view    *shm.View
	lost    chan struct{} // closed when the connection is no more
	workers sync.WaitGroup

	catalog atomic.Pointer[map[string]string] // argument letters by function; nil: not asked yet

	mu      sync.Mutex
	reason  error // why lost is closed
	lastID  uint64
	pending map[uint64]chan response // nil channel: the caller has given up
	queue   []outgoing
	wake    chan struct{}      // capacity 1: there is something in queue
	devices map[string]*ending // by name
	open    map[*Flow]struct{}
}

// outgoing is a request to send. The files are the link's to close.
type outgoing struct {
	req   *wire.Request
	files []*os.File
}

// greet says hello on a fresh connection and takes it over. The daemon numbers
// the flows from above after.
func greet(ctx context.Context, sock *net.UnixConn, after int) (*link, error) {
	stop := context.AfterFunc(ctx, func() { sock.Close() })
	defer stop()
	l := &link{
		conn:    wire.NewConn(sock),
		lost:    make(chan struct{}),
		lastID:  1,
		pending: make(map[uint64]chan response),
		wake:    make(chan struct{}, 1),
		devices: make(map[string]*ending),
		open:    make(map[*Flow]struct{}),
	}
	if err := l.hello(after); err != nil {
		sock.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, mapierr.Wrap(mapierr.CodeOf(err, ErrCommSocket), "greet mapid", err)
	}
	l.workers.Go(l.receive) // close waits for both
	l.workers.Go(l.send)
	return l, nil
}

// hello exchanges the first messages and maps the results.
func (l *link) hello(after int) error {
	hello := &wire.Hello{Version: wire.Version, After: int32(after)}
	if err := l.conn.Send(&wire.Request{Id: l.lastID, Call: &wire.Request_Hello{Hello: hello}}); err != nil {
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

// usable reports whether a call that needs nothing made before can go over the
// connection. The daemon may have hung up just now, before the receiver noticed.
func (l *link) usable() bool {
	if l.conn.HungUp() {
		<-l.lost // the receiver comes to the end as well
	}
	return l.err() == nil
}

// close ends the connection and waits for the goroutines.
func (l *link) close() {
	l.conn.Close()
	l.workers.Wait()
	l.view.Close()
	l.mu.Lock()
	var buffers []*Function
	for f := range l.open {
		buffers = append(buffers, f.buffers...)
	}
	l.mu.Unlock()
	for _, b := range buffers {
		b.Close()
	}
}

// receive takes what the daemon sends until the connection ends.
func (l *link) receive() {
	for {
		resp := &wire.Response{}
		files, err := l.conn.Receive(resp)
		if err == nil && resp.Id == 0 && resp.Error != nil {
			err = remoteError(resp.Error) // the daemon hangs up
		}
		if err != nil {
			wire.CloseAll(files)
			l.lose(err)
			return
		}
		if resp.Id == 0 {
			wire.CloseAll(files)
			l.event(resp)
		} else {
			l.deliver(response{resp, files})
		}
	}
}

// send sends what is in the queue until the connection ends.
func (l *link) send() {
	for {
		select {
		case <-l.wake:
		case <-l.lost:
			l.drop()
			return
		}
		l.mu.Lock()
		queue := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, o := range queue {
			err := l.conn.Send(o.req, o.files...)
			wire.CloseAll(o.files)
			if err != nil {
				l.refuse(o.req.Id, err)
			}
		}
	}
}

// enqueue leaves a request to the sender, which takes over the files.
func (l *link) enqueue(o outgoing) {
	l.mu.Lock()
	l.queue = append(l.queue, o)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // awake already
	}
	if l.err() != nil {
		l.drop()
	}
}

// drop forgets what will never be sent.
func (l *link) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.queue {
		wire.CloseAll(o.files)
	}
	l.queue = nil
}

// refuse answers a request that could not be sent, such as one over the size of
// a message. A broken connection is noticed by the receiver as well.
func (l *link) refuse(id uint64, err error) {
	refusal := &wire.Error{Code: int32(ErrCommSocket), Text: text(err.Error())}
	l.deliver(response{Response: &wire.Response{Id: id, Error: refusal}})
}

// errHungUp stands for io.EOF, which readers of packets take for the end of a
// capture file.
var errHungUp = errors.New("mapid has ended or hung up")

// lose marks the connection as lost and wakes everybody who waits on it.
func (l *link) lose(err error) {
	l.conn.Close()
	if errors.Is(err, io.EOF) {
		err = errHungUp
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason = mapierr.Wrap(ErrCommSocket, "connection to mapid lost", err)
	close(l.lost)
}
