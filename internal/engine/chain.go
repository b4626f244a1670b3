package engine

import (
	"sync/atomic"
	"time"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A chain is the functions of one connected flow as the capture goroutine runs
// them. Apart from the counters it belongs to that goroutine. What is needed for each
// list of packets stands first, in one cache line, and the steps lie behind: of ten
// thousands of chains, each is far away in memory.
type chain struct {
	// closed says that the flow is being closed. The loop may come upon its
	// chain once more, in its plan or after it was parked in another; it must
	// pass it by.
	closed atomic.Bool
	// looked says that others may ask for a reset of its functions.
	looked atomic.Bool
	lead   *applied      // leading filter that the classifier decides, nil: none
	passed atomic.Uint64 // packets that it let through, but for those of its shares
	// A flow of a live device never sees packets from before its connect,
	// though the ring may still hold some. since is the time of connect until
	// the device has passed it, then 0; deadline ends the wait should the
	// clock have been set back.
	since uint64
	tie   *tied  // nil: it is free
	steps []step // the functions behind the leading filter, in order

	deadline time.Time
	id       int64 // of its flow, in order of creation
	expires  bool  // some step is a flib.Expirer
	ends     bool  // some step is a flib.Finisher
	// whole says that all packets are for it: since has come to nothing.
	whole atomic.Bool
	share atomic.Pointer[share] // the newest one, nil: none
	// leaves says that it is not to be in a share any more: then the loop stores share,
	// else the control side.
	leaves atomic.Bool
	// base is the loop's packet count when the chain began, adopted says that
	// it is set: total - base packets were delivered to it, older of them from
	// before its connect. Of those, early passed its leading filter, if it has one.
	base, older, early atomic.Uint64
	adopted            atomic.Bool
	// afoot is how many packets that functions have emitted are under way.
	afoot atomic.Uint64
	// adoptedRef is told when the loop has taken the chain up. It and connectedRef
	// are told that since has come to nothing.
	adoptedRef, connectedRef *flib.FlowRef

	// For the control side, guarded by Engine.mu.
	flow   *Flow
	level  *level // that has it, nil: it is loose
	moving bool   // it is being built into a level
	tied   bool   // it runs packet by packet
	alone  bool   // its results are read by others: it is never shared
	shares bool   // it has a share in its level
}

// step is one function of a chain.
type step struct {
	fn flib.Function
	counts
	*applied
	private *copies // not nil: from here on the flow works on copies
}

// sinceLimit bounds how long a chain waits for the first packet that is not
// older than its connect. The ring hands over what it has within its time-out,
// 10 ms by default and 1 s at most.
const sinceLimit = 2 * time.Second

// newChain makes the chain of the flow's functions.
func newChain(f *Flow) *chain {
	block := &struct {
		chain
		steps [2]step // of most flows, in the same memory
	}{}
	c := &block.chain
	c.flow, c.id, c.adoptedRef, c.connectedRef = f, f.id, &f.adopted, &f.connected
	functions := ordered(f.functions)
	if len(functions) > 0 && functions[0].classifier != nil {
		c.lead, functions = functions[0], functions[1:]
	}
	if c.steps = block.steps[:]; len(functions) > len(c.steps) {
		c.steps = make([]step, len(functions))
	}
	c.steps = c.steps[:len(functions)]
	copied := false
	for i, a := range functions {
		s := &c.steps[i]
		a.setKind()
		s.fn, s.applied = a.fn, a
		_, expires := a.fn.(flib.Expirer)
		_, ends := a.fn.(flib.Finisher)
		c.expires, c.ends = c.expires || expires, c.ends || ends
		if a.def.Modifies && !copied {
			s.private, copied = &copies{}, true
		}
	}
	return c
}

// run takes packets through the chain. It does not change in.
func (c *chain) run(in []*pkt.Packet) {
	if c.closed.Load() {
		return
	}
	if c.lead != nil {
		c.passed.Add(uint64(len(in)))
	}
	if c.since != 0 {
		in = c.young(in)
	}
	c.from(0, in)
}

// runLoose takes the packets that the leading filter lets through through the chain, or
// tells them when it is tied.
func (c *chain) runLoose(l *loop, s *scratch, in []*pkt.Packet) {
	if c.lead != nil {
		program := c.lead.classifier.Program(in[0].LinkType)
		if program == nil || c.closed.Load() {
			return
		}
		list := s.list[:0]
		for _, p := range in {
			if program.Match(p.Link, p.Wire) {
				list = append(list, p)
			}
		}
		in = list
	}
	if len(in) > 0 {
		c.take(l, in)
	}
}

// take takes packets that the leading filter let through through the chain, or tells
// them when it is tied.
func (c *chain) take(l *loop, in []*pkt.Packet) {
	if c.tie != nil {
		c.tie.take(l, in)
	} else {
		c.run(in)
	}
}

// from takes packets through the steps from i on.
func (c *chain) from(i int, in []*pkt.Packet) {
	emitted := false
	for ; i < len(c.steps) && len(in) > 0; i++ {
		s := &c.steps[i]
		if s.private != nil {
			in = s.private.of(in)
		}
		n := len(in)
		if c.looked.Load() && s.resetAsked.Load() {
			s.reset()
			s.resetAsked.Store(false) // until here others take the value as 0
		}
		s.packets.Add(uint64(n))
		in = s.fn.Process(in)
		if len(in) > n {
			c.afoot.Add(uint64(len(in) - n))
			emitted = true
		}
		s.sent(n, len(in))
	}
	if emitted {
		c.afoot.Store(0)
	}
}

// expire tells the functions that packet time has come to now.
func (c *chain) expire(now uint64) {
	if c.closed.Load() {
		return
	}
	for i := range c.steps {
		if f, ok := c.steps[i].fn.(flib.Expirer); ok {
			c.emit(i, f.Expire(now))
		}
	}
}

// end tells the functions, in order, that no packet will follow.
func (c *chain) end() {
	if !c.ends || c.closed.Load() {
		return
	}
	for i := range c.steps {
		if f, ok := c.steps[i].fn.(flib.Finisher); ok {
			c.emit(i, f.End())
		}
	}
}

// emit sends on what step i gives out of itself.
func (c *chain) emit(i int, out []*pkt.Packet) {
	if len(out) > 0 {
		c.afoot.Add(uint64(len(out)))
		c.steps[i].sent(0, len(out))
		c.from(i+1, out)
		c.afoot.Store(0)
	}
}

// young drops and counts the packets from before the flow's connect. It is the rare case
// of a chain's first batches and copies what it keeps.
func (c *chain) young(in []*pkt.Packet) []*pkt.Packet {
	var out []*pkt.Packet
	for _, p := range in {
		if p.TS >= c.since {
			out = append(out, p)
		} else {
			c.early.Add(1)
		}
	}
	return out
}

// copies holds a flow's private copies of the packets of one batch.
type copies struct {
	pkts  []pkt.Packet
	ptrs  []*pkt.Packet
	bytes []byte
}

// of copies packets and their bytes; the copies last until the next call. Room
// is kept, so that a steady flow does not allocate.
func (c *copies) of(in []*pkt.Packet) []*pkt.Packet {
	size := 0
	for _, p := range in {
		size += len(p.Link)
	}
	if size > cap(c.bytes) {
		c.bytes = make([]byte, size)
	}
	if len(in) > cap(c.pkts) {
		c.pkts = make([]pkt.Packet, len(in))
		c.ptrs = make([]*pkt.Packet, len(in))
	}
	room := c.bytes[:0]
	for i, p := range in {
		at := len(room)
		room = append(room, p.Link...)
		c.pkts[i] = *p
		c.pkts[i].Link = room[at:len(room):len(room)]
		c.pkts[i].Dev = nil // the hardware's record describes the original
		c.ptrs[i] = &c.pkts[i]
	}
	return c.ptrs[:len(in)]
}
