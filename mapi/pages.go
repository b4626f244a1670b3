package mapi

import "context"

// FlowInfo describes the flow with this number: a flow of the client, or one
// that Flows has listed. It returns 6145 if there is none.
func (c *Client) FlowInfo(ctx context.Context, fd int) (FlowInfo, error) {
	info, err := one(c.flows(ctx, clamp(fd), false, 1))
	return info, c.fail(err, "info of flow %d", fd)
}

// FunctionInfo describes the function of a flow with this number. Errors: 6141
// no such flow, 6150 no such function.
func (c *Client) FunctionInfo(ctx context.Context, fd, fid int) (FunctionInfo, error) {
	info, err := one(c.functions(ctx, clamp(fd), clamp(fid), false, 1))
	return info, c.fail(err, "info of function %d of flow %d", fid, fd)
}
