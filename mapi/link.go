package mapi

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
	"gomapi/internal/wire"
)

// link is one connection to a daemon: requests out, responses and events in,
// and the result memory. A caller sends its request itself and spins for a
// moment for the response. If a request cannot be sent at once, a sender
// goroutine sends it; if the response does not arrive at once, a receiver
// goroutine receives it. So no caller waits for the daemon longer than its
// context allows.
type link struct {
	conn    *wire.Conn
	view    *shm.View
	lost    chan struct{} // closed when the connection has ended
	workers sync.WaitGroup

	catalog atomic.Pointer[map[string]descr] // arguments by function; nil: not requested yet

	taking sync.Mutex // one record at a time; locked before mu

	mu      sync.Mutex
	reason  error // why lost is closed
	lastID  uint64
	pending map[uint64]chan response // nil channel: the caller has given up
	queue   []outgoing
	sending bool               // the sender is sending former contents of queue
	wake    chan struct{}      // capacity 1: queue is not empty
	devices map[string]*ending // by name
	open    map[*Flow]struct{}
	// captures are the files that the daemon reads for this program, by device.
	captures map[string]os.FileInfo
}

// outgoing is a request to send. The link closes the files.
type outgoing struct {
	req   *wire.Request
	files []*os.File
}

// greet exchanges hello on a new connection and takes ownership of it. The
// daemon assigns flow numbers above after.
func greet(ctx context.Context, sock *net.UnixConn, after int) (*link, error) {
	conn, err := wire.NewConn(sock)
	if err != nil {
		sock.Close()
		return nil, mapierr.Wrap(ErrCommSocket, "connect to mapid", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	l := &link{
		conn:    conn,
		lost:    make(chan struct{}),
		lastID:  1,
		pending: make(map[uint64]chan response),
		wake:    make(chan struct{}, 1),
		devices: make(map[string]*ending),
		open:    make(map[*Flow]struct{}),

		captures: make(map[string]os.FileInfo),
	}
	if err := l.hello(after); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, gaveUp("greet mapid", ctx)
		}
		return nil, mapierr.Wrap(mapierr.CodeOf(err, ErrCommSocket), "greet mapid", err)
	}
	l.workers.Go(l.receive) // close waits for both
	l.workers.Go(l.send)
	return l, nil
}

// hello exchanges the first messages and maps the result memory.
func (l *link) hello(after int) error {
	hello := &wire.Hello{Version: wire.Version, After: int32(after)}
	if err := l.conn.Send(&wire.Request{Id: l.lastID, Call: &wire.Request_Hello{Hello: hello}}); err != nil {
		return err
	}
	resp := &wire.Response{}
	fds, err := l.conn.Receive(resp)
	files := fds.Files()
	if err != nil {
		wire.CloseAll(files)
		return err
	}
	if resp.Error != nil {
		wire.CloseAll(files)
		return remoteError(resp.Error)
	}
	if resp.GetWelcome() == nil || len(files) != 1 {
		wire.CloseAll(files)
		return mapierr.New(ErrCommUnknown, "the answer is not a welcome with result memory")
	}
	if l.view, err = shm.NewView(files[0]); err != nil {
		files[0].Close()
		return mapierr.Wrap(ErrNoResult, "result memory", err)
	}
	return nil
}

// err returns why the connection is lost, nil while it exists.
func (l *link) err() error {
	select {
	case <-l.lost:
		return l.reason
	default:
		return nil
	}
}

// usable reports whether the connection can be used for a call that needs no
// existing object. It also detects that the daemon has closed the connection
// before the receiver notices.
func (l *link) usable() bool {
	if l.conn.HungUp() {
		<-l.lost // the receiver ends too
	}
	return l.err() == nil
}

// closeOwn is close requested by the program: objects of the connection are
// closed.
func (l *link) closeOwn() {
	l.end(errClientClosed)
	l.mu.Lock()
	flows := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	for _, f := range flows {
		f.end()
	}
	l.close()
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

// receive handles the messages of the daemon until the connection ends.
func (l *link) receive() {
	for l.err() == nil {
		if err := l.conn.Await(); err != nil {
			l.lose(err)
			return
		}
		for l.take() { // until no message is left
		}
	}
}

// take handles the next record, and reports whether there was one. Records are
// handled in the order in which they were sent, whichever goroutine takes them.
func (l *link) take() bool {
	l.taking.Lock()
	defer l.taking.Unlock()
	resp := &wire.Response{}
	fds, err := l.conn.TryReceive(resp)
	if err == wire.ErrNotNow {
		return false
	}
	files := fds.Files()
	if err == nil && resp.Id == 0 && resp.Error != nil {
		err = remoteError(resp.Error) // why the daemon closes the connection
	}
	switch {
	case errors.Is(err, wire.ErrFilesLost) && resp.Id != 0:
		wire.CloseAll(files)
		l.refuse(resp.Id, err)
		return true
	case err != nil:
		wire.CloseAll(files)
		l.lose(err)
	case resp.Id == 0:
		wire.CloseAll(files)
		l.event(resp)
	default:
		l.deliver(response{resp, files})
	}
	return err == nil
}

// send sends the contents of the queue until the connection ends.
func (l *link) send() {
	for {
		select {
		case <-l.wake:
		case <-l.lost:
			l.drop()
			return
		}
		for queue := l.dequeue(); len(queue) > 0; queue = l.dequeue() {
			for _, o := range queue {
				err := l.conn.Send(o.req, o.files...)
				wire.CloseAll(o.files)
				if err != nil {
					l.refuse(o.req.Id, err)
				}
			}
		}
	}
}

// dequeue removes the requests to send.
func (l *link) dequeue() []outgoing {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.queue
	l.queue = nil
	l.sending = len(queue) > 0
	return queue
}

// enqueue sends a request, or leaves it to the sender if it would have to wait.
// The link takes ownership of the files.
func (l *link) enqueue(o outgoing) {
	if err := l.sendNow(o); err != wire.ErrNotNow {
		wire.CloseAll(o.files)
		if err != nil {
			l.refuse(o.req.Id, err)
		}
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // already signaled
	}
	if l.err() != nil {
		l.drop()
	}
}

// sendNow sends a request. If it would have to wait, for room or for earlier
// requests, it queues the request and returns wire.ErrNotNow.
func (l *link) sendNow(o outgoing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := wire.ErrNotNow
	if !l.sending && len(l.queue) == 0 {
		err = l.conn.TrySend(o.req, o.files...)
	}
	if err == wire.ErrNotNow {
		l.queue = append(l.queue, o)
	}
	return err
}

// drop discards the requests that will never be sent.
func (l *link) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.queue {
		wire.CloseAll(o.files)
	}
	l.queue = nil
}

// refuse fails a request that could not be sent, or whose answer could not be taken. A
// request that exceeds the message size always contains an overlong text, because all
// other fields are small. The receiver also notices a broken connection; if the
// connection has ended before, the caller knows the reason.
func (l *link) refuse(id uint64, err error) {
	if l.err() != nil {
		return
	}
	refusal := &wire.Error{Code: int32(ErrCommSocket), Text: text(err.Error())}
	switch {
	case errors.Is(err, wire.ErrTooLong):
		refusal.Code = int32(ErrInvalidArgument1)
	case errors.Is(err, wire.ErrFilesLost):
		refusal.Code = int32(ErrSendFD)
	}
	l.deliver(response{Response: &wire.Response{Id: id, Error: refusal}})
}

// errHungUp replaces io.EOF, which readers of packets take for the end of a
// capture file.
var errHungUp = errors.New("mapid has ended or closed the connection")

// lose marks the connection as lost.
func (l *link) lose(err error) {
	l.conn.Close()
	if errors.Is(err, io.EOF) {
		err = errHungUp
	}
	l.end(mapierr.Wrap(ErrCommSocket, "connection to mapid lost", err))
}

// end stores why the connection has ended, unless this is set already, and
// wakes everyone who waits on it.
func (l *link) end(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason != nil {
		return
	}
	l.reason = reason
	close(l.lost)
}
