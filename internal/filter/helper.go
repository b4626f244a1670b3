package filter

import (
	"context"
	"errors"
	"os"
	"sync"

	"gomapi/internal/bpf"
	"gomapi/internal/mapierr"
)

// A Helper compiles expressions in child processes, for three reasons: libpcap's compiler
// may take long, query the network and have defects; expressions come from anybody. It
// starts children when needed and keeps them. Each child handles one request at a time. A
// child that fails in any way is killed and, when needed, replaced. A request whose child has
// ended by itself is tried once more, in a new child.
//
// Any number of goroutines may use a Helper. Close must be called.
type Helper struct {
	pool    *pool
	slots   chan struct{} // holds one token for each request under way
	ctx     context.Context
	cancel  context.CancelFunc
	closing sync.Once
}

var _ Compiler = (*Helper)(nil)

// NewHelper returns a Helper that has no child yet.
func NewHelper(o HelperOptions) *Helper {
	h := &Helper{pool: newPool(o.withDefaults())}
	h.slots = make(chan struct{}, h.pool.options.Max)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// Compile implements Compiler. It waits for a free child; the timeout starts when it has
// one. Errors: 1025 if the expression does not compile, takes too long or crashes two
// children; 1027 if no child can be started, the Helper is closed (os.ErrClosed) or ctx ends
// (its error).
func (h *Helper) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	if err := CheckExpression(expr); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, notCompiled(ctx.Err())
	case <-h.ctx.Done():
		return nil, notCompiled(os.ErrClosed)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.ctx, func() { cancel(os.ErrClosed) })()
	p, ended, err := h.try(ctx, h.pool.take, expr, linkType)
	if ended {
		p, _, err = h.try(ctx, h.pool.start, expr, linkType)
	}
	return p, err
}

// try lets a child compile, and afterwards keeps or kills it. It reports whether the child has ended
// by itself. The filter need not be the reason: the kernel ends processes when memory is short.
func (h *Helper) try(ctx context.Context, take func(context.Context) (*child, error), expr string, linkType uint16) (_ *bpf.Program, ended bool, _ error) {
	c, err := take(ctx)
	if err != nil {
		return nil, false, err
	}
	limited, cancel := context.WithTimeout(ctx, h.pool.options.Timeout)
	defer cancel()
	raw, err := c.compile(limited, expr, linkType)
	var verdict *mapierr.Error
	switch {
	case err == nil, errors.As(err, &verdict):
		h.pool.idle <- c
	default:
		c.kill()
	}
	switch {
	case err == nil:
		p, err := bpf.NewProgram(raw)
		return p, false, err
	case verdict != nil:
		return nil, false, verdict
	case ctx.Err() != nil:
		return nil, false, notCompiled(context.Cause(ctx))
	case limited.Err() != nil:
		return nil, false, mapierr.New(mapierr.PcapBPF,
			"filter %s needs more than %v to compile: use a shorter one, or several", Quote(expr), h.pool.options.Timeout)
	}
	return nil, !errors.Is(err, errProtocol),
		mapierr.New(mapierr.PcapBPF, "filter %s crashes the compiler (%s)", Quote(expr), c.exitReason(err))
}

// Close ends the children and waits for them. Requests under way and later ones fail with
// error 1027. Close may be called again.
func (h *Helper) Close() error {
	h.closing.Do(func() {
		h.cancel()
		for range h.pool.options.Max {
			h.slots <- struct{}{}
		}
		h.pool.close()
	})
	return nil
}
