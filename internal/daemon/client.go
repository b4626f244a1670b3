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
	"gomapi/internal/principal"
	"gomapi/internal/spin"
	"gomapi/internal/wire"
)

// client is one connection. It handles its requests one after the other.
type client struct {
	daemon  *daemon
	conn    *wire.Conn
	owner   engine.Owner
	log     *logrus.Entry
	own     *engine.Session // of the program
	session *engine.Session // own, or that of the client for whom the program acts
	greeted bool

	// Events for the client. Only the newest event of a device is kept, so the
	// memory for a client that does not read is bounded.
	mu     sync.Mutex
	events map[string]*wire.DeviceEnded // by device and flow
	wake   chan struct{}                // capacity 1
}

// request is a message and the file descriptors sent with it.
type request struct {
	*wire.Request
	fds wire.Descriptors // -1: taken over, see client.file

	// The descriptors to send with the answer, and a function to call after the
	// answer, sent or not.
	reply   []*os.File
	replied func()
}

// welcome creates a client for a new connection. It tells the client and the log why it
// cannot.
func (d *daemon) welcome(ctx context.Context, sock *net.UnixConn) (*client, error) {
	peer, err := principal.Of(sock)
	if err != nil {
		d.engine.Refuse(sock)
		d.Log.Warnf("rejected a client: %v", err)
		return nil, err
	}
	if peer.Blind {
		d.blind.Do(func() {
			d.Log.Warn("the owners of user namespaces cannot be seen (root and CAP_SYS_PTRACE can): " +
				"users of such namespaces are charged by the ranges of /etc/subuid")
		})
	}
	conn, err := wire.NewConn(sock)
	if err != nil {
		d.engine.Refuse(sock)
		d.Log.Warnf("rejected a client: %v", err)
		return nil, err
	}
	c := &client{
		daemon: d,
		conn:   conn,
		owner:  ownerOf(peer),
		log:    d.Log.WithFields(logrus.Fields{"uid": peer.UID, "pid": peer.PID}),
		events: make(map[string]*wire.DeviceEnded),
		wake:   make(chan struct{}, 1),
	}
	c.owner.Subject = d.withGroups(c.owner.Subject)
	c.own, err = d.engine.NewSession(c.owner, c.notify)
	c.session = c.own
	if err != nil {
		c.turnAway(ctx, err)
		return nil, err
	}
	if !d.enrol(c) {
		c.session.Close()
		err := mapierr.New(mapierr.ShuttingDown, "the daemon is going down")
		c.turnAway(ctx, err)
		return nil, err
	}
	conn.AcceptDescriptors()
	return c, nil
}

// hangUp ends the connection; serve then cleans up.
func (c *client) hangUp() { c.conn.End(func(fd int) { c.own.Discard(fd) }) }

// serve handles requests until the connection ends. Then it releases everything
// that the client created.
func (c *client) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	helpers.Go(func() { defer cancel(); _ = c.conn.AwaitHangUp() })
	helpers.Go(func() { c.sendEvents(ctx) })
	err := c.converse(ctx)
	c.sayAt(logrus.DebugLevel, "connection ends: %v", err)
	cancel()
	c.hangUp()
	c.session.Close()
	helpers.Wait()
	c.sayAt(logrus.DebugLevel, "client gone")
}

// converse handles requests until the connection ends or a request ends it.
func (c *client) converse(ctx context.Context) error {
	for {
		r, err := c.next()
		if errors.Is(err, wire.ErrTooLong) || errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrFilesLost) {
			c.sayAt(logrus.WarnLevel, "connection ends: %v", err)
			c.refuse(mapierr.Wrap(mapierr.CommUnknown, "the daemon closed the connection", err))
		}
		if err == nil {
			err = c.handleOne(ctx, r)
		}
		c.discard(r.fds)
		if err == nil {
			err = c.session.Settle(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// handleOne answers a request. Meanwhile it counts as busy.
func (c *client) handleOne(ctx context.Context, r request) error {
	c.daemon.busy.Add(1)
	defer c.daemon.busy.Add(-1)
	return c.answer(ctx, r)
}

// discard closes the descriptors of a request that nobody has taken over.
func (c *client) discard(fds wire.Descriptors) {
	for _, fd := range fds {
		if fd >= 0 {
			c.session.Discard(fd)
		}
	}
}

// next waits for the next request. A program that sets up a flow sends the next
// request right after the last answer, so next spins unless other clients need
// the CPUs.
func (c *client) next() (r request, err error) {
	r.Request = &wire.Request{}
	err = wire.ErrNotNow
	spin.Until(func() bool {
		r.fds, err = c.conn.TryReceive(r.Request)
		return err != wire.ErrNotNow || c.daemon.busy.Load() > 0
	})
	if err == wire.ErrNotNow {
		r.fds, err = c.conn.Receive(r.Request)
	}
	return r, err
}

// refuse tells the client why the connection ends. The message answers no
// request.
func (c *client) refuse(err error) {
	_ = c.conn.Send(&wire.Response{Error: wireError(err)}) // the client may be gone
}

// notify queues an event. The engine calls it from capture goroutines.
func (c *client) notify(ended engine.Ended) {
	e := &wire.DeviceEnded{Device: ended.Device, Fd: ended.FD}
	if ended.Err != nil {
		e.Error = wireError(ended.Err)
	}
	c.mu.Lock()
	c.events[fmt.Sprint(ended.FD, " ", ended.Device)] = e
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // already signaled
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
				return // the client is gone; the reader notices this too
			}
		}
	}
}
