package filter

// AwaitExit waits until h knows that its idle child has ended.
func (h *Helper) AwaitExit() { <-h.pool.idle[0].exited }
