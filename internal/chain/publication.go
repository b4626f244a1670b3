package chain

import "gomapi/internal/pkt"

// publish asks the function to publish its result.
func (p *publication) publish() {
	i, in := p.step, []*pkt.Packet(nil)
	defer p.chain.contain(&i, &in)
	if p.due && !p.chain.Closed() {
		if h := p.chain.host; h != nil && h.Meter.On {
			h.Meter.To(p.chain.Share)
		}
		p.fn.Publish()
	}
	p.due = false
}

// markPublished notes that step i has run.
func (c *Chain) markPublished(i int) {
	s := c.Steps[i].special
	if s == nil || s.publish == nil {
		return
	}
	p := s.publish
	p.due = true
	if !p.listed && c.host != nil {
		p.listed = true
		c.host.published = append(c.host.published, p)
	}
}

// PublishFor publishes the result of a function, before another function of the same capture
// goroutine reads it.
func (c *Chain) PublishFor(a *Instance) {
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Instance == a && s.special != nil && s.special.publish != nil {
			s.special.publish.publish()
		}
	}
}

// Publish asks the functions that have run since the last call to publish their results.
func (h *Host) Publish() {
	for i, p := range h.published {
		p.publish()
		p.listed = false
		h.published[i] = nil
	}
	h.published = h.published[:0]
}
