package mapi

import (
	"context"
	"slices"

	"gomapi/internal/mapierr"
	"gomapi/internal/rawview"
)

func init() {
	rawview.OfFunction = func(fn any) (rawview.View, error) { return fn.(*Function).raw() }
	rawview.OfFlow = func(flow any) []byte { return flow.(*Flow).place.Bytes() }
	rawview.Memory = func(flow any) []byte { return flow.(*Flow).place.Head() }
	rawview.Lost = func(flow any) <-chan struct{} { return flow.(*Flow).link.lost }
	rawview.ArgDescr = func(ctx context.Context, flow any, name string) (string, int, error) {
		return flow.(*Flow).argDescr(ctx, name)
	}
	rawview.NextFlow = func(ctx context.Context, client any, fd int) (any, error) {
		c := client.(*Client)
		info, err := one(c.flows(ctx, clamp(fd), true, 1))
		return info, c.fail(err, "info of the flow after %d", fd)
	}
	rawview.NextFunction = func(ctx context.Context, client any, fd, fid int) (any, error) {
		c := client.(*Client)
		info, err := one(c.functions(ctx, clamp(fd), clamp(fid), true, 1))
		return info, c.fail(err, "info of the function after %d of flow %d", fid, fd)
	}
}

// raw hands the reading of the function over to the C library.
func (fn *Function) raw() (rawview.View, error) {
	var v rawview.View
	if fn.result != nil {
		v.Result, v.Size = fn.result.Bytes(), fn.result.Size()
	}
	if fn.buffer == nil {
		return v, nil
	}
	r, err := fn.buffer.Foreign()
	switch {
	case err != nil && fn.flow.closed.Load():
		return rawview.View{}, fn.fail(errClosed(fn.flow.fd))
	case err != nil:
		return rawview.View{}, fn.fail(mapierr.Wrap(ErrReaderSem, "packet buffer", err))
	}
	fn.flow.disown(fn)
	v.Ring, v.Page, v.Socket = r.Data, r.Page, r.Socket
	v.Series, v.NoWait = fn.isSeries(), fn.buffer.noWait
	if v.Series {
		v.Result, v.Size = nil, fn.buffer.entry
	}
	return v, nil
}

// disown removes a buffer that the C library reads.
func (f *Flow) disown(fn *Function) {
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	f.buffers = slices.DeleteFunc(f.buffers, func(b *Function) bool { return b == fn })
}

func (f *Flow) argDescr(ctx context.Context, name string) (letters string, original int, err error) {
	d, err := f.link.descr(ctx, name)
	if err != nil {
		f.note(name, err) // without the letters the caller cannot apply the function
	}
	return d.letters, d.original, f.client.fail(err, "arguments of %s", name)
}
