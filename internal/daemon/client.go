package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/sirupsen/logrus"

	"gomapi/internal/engine"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// backlog is how many requests of one client are read ahead of the one that is
// being dealt with.
const backlog = 16

// client is one connection. Its requests are dealt with one after the other.
type client struct {
	daemon  *daemon
	conn    *wire.Conn
	peer    wire.Peer
	log     logrus.FieldLogger
	session *engine.Session
	greeted bool
	lines   lines

	// What the session wants to tell the client. Only the newest event of a
	// device is kept, so a client that does not read costs nothing more.
	mu     sync.Mutex
	events map[string]*wire.DeviceEnded
	wake   chan struct{} // capacity 1
}

// request is a message with the descriptors that came with it.
type request struct {
	*wire.Request
	files []*os.File

	// What goes beside the answer, and what to do when it was sent or not.
	reply   []*os.File
	replied func()
}

// welcome makes a client of a fresh connection.
func (d *daemon) welcome(sock *net.UnixConn) (*client, error) {
	peer, err := wire.PeerOf(sock)
	if err != nil {
		return nil, err
	}
	c := &client{
		daemon: d,
		conn:   wire.NewConn(sock),
		peer:   peer,
		log:    d.Log.WithFields(logrus.Fields{"uid": peer.UID, "pid": peer.PID}),
		lines:  lines{left: lineBurst},
		events: make(map[string]*wire.DeviceEnded),
		wake:   make(chan struct{}, 1),
	}
	if !d.enrol(c) {
		return nil, fmt.Errorf("uid %d, process %d: %d clients are connected already", peer.UID, peer.PID, maxClients)
	}
	c.session, err = d.engine.NewSession(engine.Owner{UID: peer.UID, GID: peer.GID, PID: peer.PID}, c.notify)
	if err != nil {
		d.forget(c)
		return nil, err
	}
	return c, nil
}

// hangUp ends the connection; serve then cleans up.
func (c *client) hangUp() { c.conn.Close() }

// serve deals with requests until the connection ends and then releases all
// that was made over it.
func (c *client) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	requests := make(chan request, backlog)
	var helpers sync.WaitGroup
	helpers.Go(func() { defer cancel(); c.read(ctx, requests) })
	helpers.Go(func() { c.sendEvents(ctx) })
	for r := range requests {
		if err := c.answer(ctx, r); err != nil {
			c.log.Debugf("connection ends: %v", err)
			cancel()
			break
		}
	}
	cancel()
	c.hangUp()
	for r := range requests {
		wire.CloseAll(r.files)
	}
	c.session.Close()
	helpers.Wait()
	c.log.Debug("client gone")
}

// read passes requests on until the connection or ctx ends. It runs ahead of
// the handlers, so that a client's end is noticed while they work.
func (c *client) read(ctx context.Context, requests chan<- request) {
	defer close(requests)
	for {
		r := request{Request: &wire.Request{}}
		var err error
		if r.files, err = c.conn.Receive(r.Request); err != nil {
			if errors.Is(err, wire.ErrTooLong) || errors.Is(err, wire.ErrMalformed) {
				c.log.Warnf("connection ends: %v", err)
				c.refuse(mapierr.Wrap(mapierr.CommUnknown, "the daemon hangs up", err))
			}
			return
		}
		select {
		case requests <- r:
		case <-ctx.Done():
			wire.CloseAll(r.files)
			return
		}
	}
}

// refuse tells the client why the connection ends, as an answer to nothing.
func (c *client) refuse(err error) {
	_ = c.conn.Send(&wire.Response{Error: wireError(err)}) // it may be gone
}

// notify queues an event. The engine calls it from capture goroutines.
func (c *client) notify(device string, err error) {
	e := &wire.DeviceEnded{Device: device}
	if err != nil {
		e.Error = wireError(err)
	}
	c.mu.Lock()
	c.events[device] = e
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // awake already
	}
}

// sendEvents sends queued events until ctx ends.
func (c *client) sendEvents(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		c.mu.Lock()
		events := c.events
		c.events = make(map[string]*wire.DeviceEnded)
		c.mu.Unlock()
		for _, e := range events {
			if c.conn.Send(&wire.Response{Result: &wire.Response_DeviceEnded{DeviceEnded: e}}) != nil {
				return // gone: the reader notices too
			}
		}
	}
}
