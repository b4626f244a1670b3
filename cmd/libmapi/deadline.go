package main

import (
	"context"
	"sync"
	"time"
)

// A deadline limits how long calls take. Calls of the same second share a context,
// because a new timer wakes the network poller of the runtime, which costs more than the
// rest of a call.
type deadline struct {
	limit time.Duration

	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc
	renew  time.Time // when the next call needs another context
}

// context returns a context that ends within limit, at the earliest a second before.
func (d *deadline) context() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); !now.Before(d.renew) {
		// Calls may still use the former context, which ends by itself.
		d.ctx, d.cancel = context.WithTimeout(context.Background(), d.limit)
		d.renew = now.Add(time.Second)
	}
	return d.ctx
}
