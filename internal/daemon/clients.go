package daemon

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"gomapi/internal/account"
	"gomapi/internal/engine"
	"gomapi/internal/foreign"
	"gomapi/internal/wire"
)

// daemon is a running daemon.
type daemon struct {
	Options
	engine   *engine.Engine
	accounts *account.Accounts
	trusted  atomic.Pointer[map[uint32]bool] // users whose programs may act for others
	byGroup  atomic.Bool                     // the policy has rules for groups
	blind    sync.Once                       // tells that user namespaces cannot be seen
	serving  sync.WaitGroup                  // one per client
	busy     atomic.Int32                    // clients with a request in progress
	lines    userLines                       // log lines that users can cause

	mu      sync.Mutex
	clients map[*client]struct{}
	ending  bool
	turned  map[string]int // clients that are being turned away, by the holder of the account
	auto    bool           // each interface that is up is a device; see config.Config.Auto
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

// admit serves a client on a separate goroutine, which serveSocket waits for. Nothing
// that depends on the client happens on the goroutine that accepts.
func (d *daemon) admit(ctx context.Context, sock *net.UnixConn) {
	d.serving.Go(func() {
		if c, err := d.welcome(ctx, sock); err == nil {
			defer d.forget(c)
			c.serve(ctx)
		}
	})
}

// refuse closes the socket of a client that was not welcomed.
func (d *daemon) refuse(fd int) { d.engine.Refuse(foreign.Descriptor(fd)) }

// A client that is turned away has this time to read the reason. So many of a user can have
// it at a time; others see that the connection is closed.
const (
	turnTime  = time.Second
	maxTurned = 32
)

// turnAway tells a client why it cannot be served, and closes the connection when the
// client has done so: closing it earlier would throw away the reason, because the client's
// first message is unread.
func (c *client) turnAway(ctx context.Context, reason error) {
	d, conn := c.daemon, c.conn
	defer conn.End(d.refuse)
	c.sayAt(logrus.WarnLevel, "rejected a client: %v", reason)
	ctx, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	if d.turn(c.owner.Payer.ID, 1) <= maxTurned && conn.TrySend(&wire.Response{Error: wireError(reason)}) == nil {
		defer context.AfterFunc(ctx, func() { conn.End(d.refuse) })()
		_ = conn.AwaitHangUp()
	}
	d.turn(c.owner.Payer.ID, -1)
}

// turn counts more or fewer clients of a user that are being turned away, and returns how many
// there are.
func (d *daemon) turn(user string, more int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turned[user] += more
	n := d.turned[user]
	if n == 0 {
		delete(d.turned, user)
	}
	return n
}

// enrol adds c, unless the daemon is ending.
func (d *daemon) enrol(c *client) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ending {
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
