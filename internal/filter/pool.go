package filter

import (
	"context"
	"errors"
	"os"

	"gomapi/internal/mapierr"
)

// take returns an idle child or a new one. The caller holds a slot.
func (h *Helper) take(ctx context.Context) (*child, error) {
	for c := h.pop(); c != nil; c = h.pop() {
		if c.usable() {
			return c, nil
		}
		c.kill()
	}
	return h.start(ctx)
}

func (h *Helper) pop() *child {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.idle) == 0 {
		return nil
	}
	c := h.idle[len(h.idle)-1]
	h.idle = h.idle[:len(h.idle)-1]
	return c
}

func (h *Helper) put(c *child) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = append(h.idle, c)
}

// start starts a child and waits until it is ready.
func (h *Helper) start(ctx context.Context) (*child, error) {
	if os.Args[0] == HelperName {
		return nil, mapierr.New(mapierr.PcapOpenDead,
			"filter compiler: this program must call libpcap.ServeIfHelper first in main")
	}
	var c *child
	var err error
	done := make(chan struct{})
	h.starts <- func() {
		defer close(done)
		c, err = spawn(h.options)
	}
	<-done
	if err != nil {
		return nil, mapierr.Wrap(mapierr.PcapOpenDead, "start filter compiler "+h.options.Path, err)
	}
	return c, h.await(ctx, c)
}

// await waits until c is ready, and ends it if it does not become so.
func (h *Helper) await(ctx context.Context, c *child) error {
	limited, cancel := context.WithTimeout(ctx, h.options.Timeout)
	defer cancel()
	err := c.ready(limited)
	if err == nil {
		return nil
	}
	c.kill()
	var verdict *mapierr.Error
	switch {
	case errors.As(err, &verdict):
		return verdict
	case ctx.Err() != nil:
		return notCompiled(context.Cause(ctx))
	}
	return mapierr.New(mapierr.PcapOpenDead,
		"filter compiler %s does not become ready (%s)", h.options.Path, c.obituary(err))
}
