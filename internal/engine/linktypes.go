package engine

import (
	"slices"

	"gomapi/internal/datapath"
)

// announced returns the link types for which connect compiles filters. A live device does not
// wait when another one comes, so these are all that it announces. A file waits, so it is
// enough to begin with its first one.
func (c *capture) announced() []uint16 {
	types := []uint16{c.info.LinkType}
	if c.device.owner != nil {
		return types
	}
	for _, lt := range c.info.LinkTypes {
		if !slices.Contains(types, lt) && len(types) < datapath.MaxLinkTypes {
			types = append(types, lt)
		}
	}
	return types
}

// newLinkType prepares all filters for a link type for which none are compiled. The capture
// goroutine calls it once for each, in the middle of a batch. A file waits for it. On a live
// device another goroutine does it, and filters let no packets of the link type through
// before.
func (c *capture) newLinkType(linkType uint16) {
	e := c.device.engine
	if c.turn != nil {
		c.turn.Rest()
		defer c.resume()
		c.addLinkType(linkType)
		return
	}
	e.tasks.Go(func() {
		e.opts.Log("device %s: packets of link type %d come, which the device has not announced; filters see them as soon as they are compiled for it",
			c.device.spec.Name, linkType)
		c.addLater(linkType)
	})
}

// addLinkType prepares all filters of a file, whose capture goroutine calls it.
func (c *capture) addLinkType(linkType uint16) {
	c.types.Lock()
	defer c.types.Unlock()
	for _, f := range c.flows() {
		if c.prepare(f, linkType); c.ctx.Err() != nil {
			return // stopped: nobody needs the rest of the batch
		}
	}
	c.publishLinkType(linkType)
}

// addLater prepares all filters of a live device. Meanwhile its flows come and go: new ones
// prepare for the link type themselves, because it is among those that are coming.
func (c *capture) addLater(linkType uint16) {
	e := c.device.engine
	c.types.Lock() // no flow is between preparing and being connected
	e.mu.Lock()
	c.coming = append(c.coming, linkType)
	e.mu.Unlock()
	c.types.Unlock()
	for _, f := range c.flows() {
		f.session.calls.Lock() // so that the flow is not closed meanwhile
		if !f.chain.Closed() && c.ctx.Err() == nil {
			c.prepare(f, linkType)
		}
		f.session.calls.Unlock()
	}
	c.publishLinkType(linkType)
}

// flows returns the connected flows.
func (c *capture) flows() []*Flow {
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	return c.flowsLocked()
}

// prepare makes a flow ready for packets of a link type, or logs why it cannot.
func (c *capture) prepare(f *Flow, linkType uint16) {
	if err := f.prepare(c.ctx, linkType); err != nil && c.ctx.Err() == nil {
		f.session.log("device %s: flow %d has no filter for link type %d: %v", c.device.spec.Name, f.id, linkType, err)
	}
}

// publishLinkType tells the loop that the filters are compiled for one more link type.
func (c *capture) publishLinkType(linkType uint16) {
	e := c.device.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.ctx.Err() != nil || c.ended {
		return
	}
	c.coming = slices.DeleteFunc(c.coming, func(lt uint16) bool { return lt == linkType })
	c.linkTypes = append(slices.Clone(c.linkTypes), linkType)
	ended := c.loop.Unmerge(c.linkTypes)
	e.tasks.Go(func() { c.free(ended) })
	c.compactor.stirLocked()
}
