package mapi

import "context"

// FlowInfo describes the flow with this number: a flow of the client, or one
// that Flows has listed. It returns 6145 if there is none.
func (c *Client) FlowInfo(ctx context.Context, fd int) (FlowInfo, error) {
	info, err := one(c.flows(ctx, clamp(fd), false, 1))
	return info, c.fail(err, "info of flow %d", fd)
}

// FlowsAfter is Flows in pages: at most n flows with numbers above fd. If there
// are none, it returns 6149 if fd is 0 or a flow that the client may see, 6145
// if fd is unknown, for example because the flow was closed.
func (c *Client) FlowsAfter(ctx context.Context, fd, n int) ([]FlowInfo, error) {
	list, err := c.flows(ctx, clamp(fd), true, uint32(min(max(n, 1), pageLimit)))
	return list, c.fail(err, "list flows after %d", fd)
}

// FunctionInfo describes the function of a flow with this number. Errors: 6141
// no such flow, 6150 no such function.
func (c *Client) FunctionInfo(ctx context.Context, fd, fid int) (FunctionInfo, error) {
	info, err := one(c.functions(ctx, clamp(fd), clamp(fid), false, 1))
	return info, c.fail(err, "info of function %d of flow %d", fid, fd)
}

// FlowFunctionsAfter is FlowFunctions in pages: at most n functions of a flow with
// numbers above fid. Errors: 6141 no such flow, 6150 no such function.
func (c *Client) FlowFunctionsAfter(ctx context.Context, fd, fid, n int) ([]FunctionInfo, error) {
	list, err := c.functions(ctx, clamp(fd), clamp(fid), true, uint32(min(max(n, 1), pageLimit)))
	return list, c.fail(err, "list functions of flow %d after %d", fd, fid)
}
