package mapi

import (
	"context"
	"net"
	"sync"
)

// A Client talks to one daemon. The zero value finds the daemon of this host.
// It connects at its first call. Everything made over a client goes with it:
// when Close is called or the program ends, the daemon closes its flows and
// deletes its offline devices.
type Client struct {
	// Socket is the path of the daemon's socket. Empty: the path in
	// MAPI_SOCKET, else the first that answers of $HOME/.mapid.sock and
	// /run/mapi/mapid.sock. Set it before the first call.
	Socket string
	// Dial connects to the daemon in place of Socket. The client takes over what
	// it returns. Set it before the first call.
	Dial func(ctx context.Context) (*net.UnixConn, error)

	mu      sync.Mutex
	link    *link         // nil: not connected yet
	dialing chan struct{} // not nil: a call connects; closed when it is done
	lastFD  int           // highest number of a flow so far

	lastMu sync.Mutex
	last   *Error
}

// connection returns the client's connection, which it makes if there is none
// or the last one was lost. Of several calls at once one connects and the
// others wait, each no longer than its context.
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

// connect makes a connection in place of one that was lost. c.dialing is set.
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

// numbered remembers the number of a flow: a later connection gives higher ones.
func (c *Client) numbered(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastFD = max(c.lastFD, fd)
}

// Close ends the connection and the client's flows. The client can be used again and
// connects anew then; flows, functions and devices of before give error 6145, which is
// os.ErrClosed. Closing twice is fine.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.closeOwn()
		c.link = nil
	}
	return nil
}
