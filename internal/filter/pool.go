package filter

import (
	"context"
	"errors"
	"os"
	"runtime"

	"gomapi/internal/mapierr"
)

// A pool holds the idle children of a Helper, and starts more.
type pool struct {
	options HelperOptions
	starts  chan func()   // functions for launch
	stopped chan struct{} // closed when launch has ended
	idle    chan *child   // with room for all
}

func newPool(o HelperOptions) *pool {
	p := &pool{options: o, starts: make(chan func()), stopped: make(chan struct{}), idle: make(chan *child, o.Max)}
	go p.launch() // close ends it and waits
	return p
}

// close ends the idle children and waits for them. No child may be returned after it.
func (p *pool) close() {
	for c := p.pop(); c != nil; c = p.pop() {
		c.kill()
	}
	close(p.starts)
	<-p.stopped
}

// launch runs the functions that start a child, all on one thread. The kernel kills a
// child when the thread that started it ends (PR_SET_PDEATHSIG, prctl(2)), so this thread
// must live as long as the pool. It stays locked and ends with launch.
func (p *pool) launch() {
	defer close(p.stopped)
	runtime.LockOSThread()
	for start := range p.starts {
		start()
	}
}

// take returns an idle child or a new one. The caller holds a slot.
func (p *pool) take(ctx context.Context) (*child, error) {
	for c := p.pop(); c != nil; c = p.pop() {
		if c.usable() {
			return c, nil
		}
		c.kill()
	}
	return p.start(ctx)
}

// pop returns an idle child, nil if there is none.
func (p *pool) pop() *child {
	select {
	case c := <-p.idle:
		return c
	default:
		return nil
	}
}

// start starts a child and waits until it is ready.
func (p *pool) start(ctx context.Context) (*child, error) {
	if os.Args[0] == HelperName {
		return nil, mapierr.New(mapierr.PcapOpenDead,
			"filter compiler: the main of this program must call libpcap.ServeIfHelper first")
	}
	var c *child
	var err error
	done := make(chan struct{})
	p.starts <- func() {
		defer close(done)
		c, err = spawn(p.options)
	}
	<-done
	if err != nil {
		return nil, mapierr.Wrap(mapierr.PcapOpenDead, "start filter compiler "+p.options.Path, err)
	}
	return c, p.await(ctx, c)
}

// await waits until c is ready, and kills it if it does not become ready.
func (p *pool) await(ctx context.Context, c *child) error {
	limited, cancel := context.WithTimeout(ctx, p.options.Timeout)
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
		"filter compiler %s does not become ready (%s)", p.options.Path, c.exitReason(err))
}

func notCompiled(reason error) error {
	return mapierr.Wrap(mapierr.PcapOpenDead, "the filter was not compiled", reason)
}
