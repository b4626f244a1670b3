package mapi

import "context"

// FlowsAfter is Flows in pages: at most n flows with numbers above fd. It returns
// 6149 when there is none.
func (c *Client) FlowsAfter(ctx context.Context, fd, n int) ([]FlowInfo, error) {
	list, err := c.flows(ctx, clamp(fd), true, uint32(min(max(n, 1), pageLimit)))
	return list, c.fail(err, "list flows after %d", fd)
}

// FlowFunctionsAfter is FlowFunctions in pages: at most n functions of a flow with
// numbers above fid. It returns 6150 when there is none, or no such flow.
func (c *Client) FlowFunctionsAfter(ctx context.Context, fd, fid, n int) ([]FunctionInfo, error) {
	list, err := c.functions(ctx, clamp(fd), clamp(fid), true, uint32(min(max(n, 1), pageLimit)))
	return list, c.fail(err, "list functions of flow %d after %d", fd, fid)
}
