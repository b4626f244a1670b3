package filter

// AwaitExit waits until h knows that its idle child has ended.
func (h *Helper) AwaitExit() {
	c := <-h.pool.idle
	<-c.exited
	h.pool.idle <- c
}
