package daemon

import (
	"bytes"
	"context"

	"gomapi/flib"
	"gomapi/internal/engine"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

func (c *client) createFlow(ctx context.Context, m *wire.CreateFlow, resp *wire.Response) error {
	f, err := c.session.CreateFlow(ctx, m.Device)
	if mapierr.CodeOf(err, 0) == mapierr.NoDriver {
		if name, found := c.daemon.seek(m.Device); found {
			f, err = c.session.CreateFlow(ctx, name)
		}
	}
	if err != nil {
		return err
	}
	c.say("flow %d created on %s", f.FD, clean(f.Device, maxLogged))
	resp.Result = &wire.Response_FlowCreated{FlowCreated: &wire.FlowCreated{
		Fd: f.FD, Device: clean(f.Device, maxName), Devtype: f.DevType, Offset: f.Offset, LinkType: uint32(f.LinkType),
	}}
	return nil
}

// maxFunctionName is the maximum length of a function name with library and
// device type, in bytes, as in the original.
const maxFunctionName = 256

func (c *client) applyFunction(ctx context.Context, m *wire.ApplyFunction, r *request, resp *wire.Response) error {
	args, err := c.arguments(m, r)
	if err != nil {
		c.session.NotApplied(m.Fd, m.Name, err)
		return err
	}
	a, err := c.session.Apply(ctx, m.Fd, m.Name, args)
	if err != nil {
		return err
	}
	c.say("function %s applied to flow %d as %d", m.Name, m.Fd, a.FID)
	if a.Ring != nil {
		r.reply, r.replied = a.Ring.Files(), a.Ring.CloseFiles
	}
	resp.Result = &wire.Response_FunctionApplied{FunctionApplied: &wire.FunctionApplied{
		Fid: a.FID, Devtype: a.DevType, HasResult: a.HasResult, Offset: a.Offset, Size: uint32(a.Size),
		HasRing: a.Ring != nil, Entry: uint32(a.Entry),
	}}
	return nil
}

// arguments checks the function name and returns the arguments of a message as
// values.
func (c *client) arguments(m *wire.ApplyFunction, r *request) ([]any, error) {
	if len(m.Name) > maxFunctionName {
		return nil, mapierr.New(mapierr.FunctionNotFound, "function name of %d bytes exceeds the limit of %d", len(m.Name), maxFunctionName)
	}
	return c.values(m.Args, r)
}

// values converts the arguments of a message and takes over the files that they
// refer to. If the error is nil, the caller owns these files.
func (c *client) values(args []*wire.Value, r *request) (out []any, err error) {
	for i, a := range args {
		v, err := c.value(a, i, r)
		if err != nil {
			engine.CloseFiles(out)
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// value converts argument i of a message.
func (c *client) value(a *wire.Value, i int, r *request) (any, error) {
	switch v := a.GetKind().(type) {
	case *wire.Value_Int:
		return v.Int, nil
	case *wire.Value_Uint:
		return v.Uint, nil
	case *wire.Value_Text:
		if bytes.IndexByte(v.Text, 0) >= 0 {
			return nil, mapierr.New(mapierr.BadArgument(i), "argument %d contains a NUL byte", i+1)
		}
		return string(v.Text), nil
	case *wire.Value_File:
		f, err := c.file(r, v.File.GetIndex(), v.File.GetPath())
		if err != nil {
			return nil, err
		}
		return flib.OpenFile{File: f, Path: v.File.GetPath()}, nil
	}
	return nil, mapierr.New(mapierr.BadArgument(i), "argument %d has an unknown type", i+1)
}

func (c *client) connect(ctx context.Context, m *wire.Connect) error {
	if err := c.session.Connect(ctx, m.Fd); err != nil {
		return err
	}
	c.say("flow %d connected", m.Fd)
	return nil
}

func (c *client) closeFlow(m *wire.CloseFlow) error {
	if err := c.session.CloseFlow(m.Fd); err != nil {
		return err
	}
	c.say("flow %d closed", m.Fd)
	return nil
}
