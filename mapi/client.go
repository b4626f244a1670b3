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
	// Dial connects to the daemon in place of Socket. Set it before the first
	// call.
	Dial func(ctx context.Context) (*net.UnixConn, error)

	mu   sync.Mutex // guards link; held while connecting
	link *link      // nil: not connected yet

	lastMu sync.Mutex
	last   *Error
}

// connection returns the client's connection, which it makes if there is none
// or the last one was lost.
func (c *Client) connection(ctx context.Context) (*link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil && c.link.err() == nil {
		return c.link, nil
	}
	dial := c.Dial
	if dial == nil {
		dial = c.dialSocket
	}
	sock, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	l, err := greet(ctx, sock)
	if err != nil {
		return nil, err
	}
	if c.link != nil {
		c.link.close()
	}
	c.link = l
	return l, nil
}

// Close ends the connection. The daemon closes the client's flows. The client
// can be used again and connects anew then; flows and functions of before give
// error 5123. Closing twice is fine.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.close()
		c.link = nil
	}
	return nil
}
