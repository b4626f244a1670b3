package daemon

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/internal/engine"
	"gomapi/internal/wire"
)

// maxClients is the maximum number of simultaneous connections.
const maxClients = 4096

// daemon is a running daemon.
type daemon struct {
	Options
	engine  *engine.Engine
	serving sync.WaitGroup // one per client
	busy    atomic.Int32   // clients with a request in progress
	lines   userLines      // log lines that users can cause

	mu      sync.Mutex
	clients map[*client]struct{}
	ending  bool
	auto    bool // each interface that is up is a device; see config.Config.Auto
}

// acceptPause is how long accept waits when no file descriptors are left.
const acceptPause = 50 * time.Millisecond

// accept serves clients until the listener is closed.
func (d *daemon) accept(ctx context.Context, l *listener) error {
	for failing := false; ; {
		sock, err := l.AcceptUnix()
		if err != nil {
			if !temporary(err) {
				return err
			}
			if !failing {
				d.Log.Warnf("accept clients: %v; trying again", err)
			}
			failing = true
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		}
		failing = false
		d.admit(ctx, sock)
	}
}

// admit serves a client on a separate goroutine, which serveSocket waits for.
func (d *daemon) admit(ctx context.Context, sock *net.UnixConn) {
	peer, err := wire.PeerOf(sock)
	if err != nil {
		d.Log.Warnf("rejected a client: %v", err)
		sock.Close()
		return
	}
	c, err := d.welcome(sock, peer)
	if err != nil {
		d.warnUser(peer.UID, "rejected a client: %v", err)
		sock.Close()
		return
	}
	d.serving.Go(func() {
		defer d.forget(c)
		c.serve(ctx)
	})
}

// enrol adds c, unless there are too many clients or the daemon is ending.
func (d *daemon) enrol(c *client) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ending || len(d.clients) >= maxClients {
		return false
	}
	d.clients[c] = struct{}{}
	return true
}

func (d *daemon) forget(c *client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.clients, c)
}

// hangUpAll closes all connections; their goroutines clean up.
func (d *daemon) hangUpAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ending = true
	for c := range d.clients {
		c.hangUp()
	}
}
