package mapi

import (
	"context"
	"net"
	"sync"
)

// A Client is a connection to one daemon. The zero value uses the daemon of
// this host. It connects at the first call. Everything created through a client
// belongs to it: on Close or at the end of the program, the daemon closes its
// flows and deletes its offline devices.
type Client struct {
	// Socket is the path of the daemon's socket. If it is empty, the client
	// uses the path in MAPI_SOCKET, else the first of $HOME/.mapid.sock and
	// /run/mapi/mapid.sock that answers. It must be set before the first call.
	Socket string
	// Dial connects to the daemon, instead of Socket. The client owns the
	// connection. It must be set before the first call.
	Dial func(ctx context.Context) (*net.UnixConn, error)

	mu      sync.Mutex
	link    *link         // nil: not connected yet
	dialing chan struct{} // not nil: a call is connecting; closed afterwards
	lastFD  int           // highest flow number so far

	lastMu sync.Mutex
	last   *Error
}

// connection returns the client's connection. If there is none, or it was lost,
// it connects. Of concurrent calls one connects and the others wait, each
// limited by its context.
func (c *Client) connection(ctx context.Context) (*link, error) {
	for {
		c.mu.Lock()
		if c.link != nil && c.link.usable() {
			defer c.mu.Unlock()
			return c.link, nil
		}
		if c.dialing == nil {
			c.dialing = make(chan struct{})
			c.mu.Unlock()
			return c.connect(ctx)
		}
		other := c.dialing
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, gaveUp("gave up waiting for mapid", ctx)
		}
	}
}

// connect replaces a lost connection. c.dialing is set.
func (c *Client) connect(ctx context.Context) (*link, error) {
	l, err := c.dial(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.dialing)
	c.dialing = nil
	if err != nil {
		return nil, err
	}
	if c.link != nil {
		c.link.close()
	}
	c.link = l
	return l, nil
}

func (c *Client) dial(ctx context.Context) (*link, error) {
	dial := c.Dial
	if dial == nil {
		dial = c.dialSocket
	}
	sock, err := dial(ctx)
	if err != nil && ctx.Err() != nil {
		err = gaveUp("connect to mapid", ctx)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	after := c.lastFD
	c.mu.Unlock()
	return greet(ctx, sock, after)
}

// numbered remembers a flow number, so that a later connection assigns higher
// numbers.
func (c *Client) numbered(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastFD = max(c.lastFD, fd)
}

// Close ends the connection and the client's flows. The client may be used
// again; it then reconnects. Earlier flows, functions and devices return error
// 6145, which is os.ErrClosed. Close may be called more than once.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.closeOwn()
		c.link = nil
	}
	return nil
}
