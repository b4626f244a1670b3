package daemon

import (
	"context"
	"strings"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

func (c *client) createFlow(ctx context.Context, m *wire.CreateFlow, resp *wire.Response) error {
	f, err := c.session.CreateFlow(ctx, m.Device)
	if mapierr.CodeOf(err, 0) == mapierr.NoDriver && c.daemon.discover() {
		f, err = c.session.CreateFlow(ctx, m.Device)
	}
	if err != nil {
		return err
	}
	c.say("flow %d created on %s", f.FD, clean(f.Device, maxLogged))
	resp.Result = &wire.Response_FlowCreated{FlowCreated: &wire.FlowCreated{
		Fd: f.FD, Device: clean(f.Device, maxName), Devtype: f.DevType, Offset: f.Offset,
	}}
	return nil
}

// maxFunctionName bounds a function name with library and device type, in
// bytes, as the original.
const maxFunctionName = 256

func (c *client) applyFunction(ctx context.Context, m *wire.ApplyFunction, resp *wire.Response) error {
	if len(m.Name) > maxFunctionName {
		return mapierr.New(mapierr.FunctionNotFound, "function name of %d bytes: %d are the limit", len(m.Name), maxFunctionName)
	}
	args, err := values(m.Args)
	if err != nil {
		return err
	}
	a, err := c.session.Apply(ctx, m.Fd, m.Name, args)
	if err != nil {
		return err
	}
	c.say("function %s applied to flow %d as %d", m.Name, m.Fd, a.FID)
	resp.Result = &wire.Response_FunctionApplied{FunctionApplied: &wire.FunctionApplied{
		Fid: a.FID, Devtype: a.DevType, HasResult: a.HasResult, Offset: a.Offset, Size: uint32(a.Size),
	}}
	return nil
}

// values takes arguments out of a message.
func values(args []*wire.Value) ([]any, error) {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.GetKind().(type) {
		case *wire.Value_Int:
			out[i] = v.Int
		case *wire.Value_Uint:
			out[i] = v.Uint
		case *wire.Value_Text:
			if strings.IndexByte(string(v.Text), 0) >= 0 {
				return nil, mapierr.New(mapierr.BadArgument(i), "argument %d contains a NUL byte", i+1)
			}
			out[i] = string(v.Text)
		default:
			return nil, mapierr.New(mapierr.BadArgument(i), "argument %d is of a kind that this daemon does not know", i+1)
		}
	}
	return out, nil
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
