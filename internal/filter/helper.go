package filter

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"time"

	"gomapi/internal/mapierr"
)

// HelperOptions say how a Helper works. Zero values take the defaults.
type HelperOptions struct {
	Path        string        // program that becomes the child, by libpcap.ServeIfHelper; default this program
	Timeout     time.Duration // for one request; default 5 s
	Max         int           // children at once; default 4
	MemoryLimit uint64        // bytes that a child may use beyond those it starts with; default 1 GiB
}

func (o HelperOptions) withDefaults() HelperOptions {
	if o.Path == "" {
		o.Path = "/proc/self/exe"
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Max <= 0 {
		o.Max = 4
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 1 << 30
	}
	return o
}

// A Helper compiles expressions in child processes, because libpcap's compiler
// may take long, ask the network and have defects, and expressions come from
// anybody. Children are started when needed and kept; each does one request at
// a time. One that fails in any way is killed and, when needed, replaced.
//
// Any number of goroutines may use a Helper. Close must be called.
type Helper struct {
	options HelperOptions
	slots   chan struct{} // holds one token for each request under way
	starts  chan func()   // to launch
	stopped chan struct{} // closed when launch has ended
	ctx     context.Context
	cancel  context.CancelFunc
	closing sync.Once

	mu   sync.Mutex
	idle []*child
}

var _ Compiler = (*Helper)(nil)

// NewHelper returns a Helper that has no child yet.
func NewHelper(o HelperOptions) *Helper {
	h := &Helper{
		options: o.withDefaults(),
		starts:  make(chan func()),
		stopped: make(chan struct{}),
	}
	h.slots = make(chan struct{}, h.options.Max)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	go h.launch() // Close ends it and waits
	return h
}

// launch runs what starts a child, all on one thread: the kernel ends a child
// with the thread that started it (PR_SET_PDEATHSIG, prctl(2)), so that thread
// must last as long as the Helper. It stays locked and ends with launch.
func (h *Helper) launch() {
	defer close(h.stopped)
	runtime.LockOSThread()
	for start := range h.starts {
		start()
	}
}

// Compile implements Compiler. It waits for a child to be free; the timeout
// counts from then on. Errors: 1025 if the expression does not compile, takes
// too long or crashes its child; 1027 if no child can be started, the Helper
// is closed (os.ErrClosed) or ctx ends (its error).
func (h *Helper) Compile(ctx context.Context, expr string, linkType uint16) (*Program, error) {
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
	c, err := h.take(ctx)
	if err != nil {
		return nil, err
	}
	return h.compile(ctx, c, expr, linkType)
}

// compile has c do the work, and keeps it or ends it afterwards.
func (h *Helper) compile(ctx context.Context, c *child, expr string, linkType uint16) (*Program, error) {
	limited, cancel := context.WithTimeout(ctx, h.options.Timeout)
	defer cancel()
	raw, err := c.compile(limited, expr, linkType)
	var verdict *mapierr.Error
	switch {
	case err == nil, errors.As(err, &verdict):
		h.put(c)
	default:
		c.kill()
	}
	switch {
	case err == nil:
		return NewProgram(raw)
	case verdict != nil:
		return nil, verdict
	case ctx.Err() != nil:
		return nil, notCompiled(context.Cause(ctx))
	case limited.Err() != nil:
		return nil, mapierr.New(mapierr.PcapBPF,
			"filter %s needs more than %v to compile; use a shorter one, or several", Quote(expr), h.options.Timeout)
	}
	return nil, mapierr.New(mapierr.PcapBPF, "filter %s crashes the compiler (%s)", Quote(expr), c.obituary(err))
}

func notCompiled(reason error) error {
	return mapierr.Wrap(mapierr.PcapOpenDead, "filter was not compiled", reason)
}

// Close ends the children and waits for them. Requests under way fail with
// error 1027, as do later ones. Twice is fine.
func (h *Helper) Close() error {
	h.closing.Do(func() {
		h.cancel()
		for range h.options.Max {
			h.slots <- struct{}{}
		}
		for c := h.pop(); c != nil; c = h.pop() {
			c.kill()
		}
		close(h.starts)
		<-h.stopped
	})
	return nil
}
