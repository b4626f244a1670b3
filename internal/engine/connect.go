package engine

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// Connect lets packets into a flow. When it returns, the flow sees every packet that arrives
// later, and none that arrived before the call. Errors: 6145 no such flow, 3081 connected
// already, 6142 the file was read to its end, 7007 a function that anonymizes could not be
// applied, 8003 or 8001 the policy does not allow it any more, the error with which the device
// has ended, and those of the functions. After an error the flow is as before.
func (s *Session) Connect(ctx context.Context, fd int32) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Unlock()
	f, err := s.flow(fd)
	if err != nil {
		return err
	}
	s.engine.mu.Lock()
	status, over, unhidden := f.status, f.capture.overForLocked(f), f.unhidden.Err(int(fd))
	s.engine.mu.Unlock()
	switch {
	case status == FlowFinished:
		return mapierr.New(mapierr.FlowAlreadyActive, "flow %d was connected already, and its device has ended", fd)
	case status != FlowInit:
		return mapierr.New(mapierr.FlowAlreadyActive, "flow %d is connected already", fd)
	case unhidden != nil:
		return unhidden
	case over != nil:
		return over
	}
	if err := s.connect(ctx, f); err != nil {
		return coded(mapierr.CouldNotInitFunction, err)
	}
	f.capture.compactor.keepUp(ctx)
	return nil
}

func (s *Session) connect(ctx context.Context, f *Flow) error {
	f.capture.types.Lock()
	defer f.capture.types.Unlock()
	if err := f.prepareAll(ctx); err != nil {
		return err
	}
	if err := s.startAll(f.functions); err != nil {
		return err
	}
	if err := s.activate(f); err != nil {
		s.stopAll(f.functions)
		return err
	}
	return nil
}

// overForLocked returns the error of connecting f if the capture has ended, else nil.
// Engine.mu is held.
func (c *capture) overForLocked(f *Flow) error {
	what := fmt.Sprintf("device %q has ended before flow %d was connected", c.device.spec.Name, f.fd)
	switch {
	case !c.ended:
		return nil
	case c.err != nil:
		return mapierr.Wrap(mapierr.CodeOf(c.err, mapierr.ClientConnect), what, c.err)
	case c.device.owner != nil:
		what += ": the file was read to its end; connect flows before the device is started, or make another device of the file"
	}
	return mapierr.New(mapierr.ClientConnect, "%s", what)
}

// prepareAll makes the functions ready for all link types that the device has announced or has
// had so far. The capture's types lock is held.
func (f *Flow) prepareAll(ctx context.Context) error {
	f.session.engine.mu.Lock()
	types := slices.Concat(f.capture.linkTypes, f.capture.coming)
	f.session.engine.mu.Unlock()
	for _, lt := range types {
		if err := f.prepare(ctx, lt); err != nil {
			return err
		}
	}
	return nil
}

// startAll starts the functions in order. If one fails, it stops those before it.
func (s *Session) startAll(functions []*instance) error {
	for i, a := range functions {
		st, ok := a.Fn.(flib.Starter)
		if !ok {
			continue
		}
		if err := s.safely("starting "+a.Def.Name, st.Start); err != nil {
			s.stopAll(functions[:i])
			return err
		}
	}
	return nil
}

// stopAll undoes startAll.
func (s *Session) stopAll(functions []*instance) {
	for _, a := range functions {
		if st, ok := a.Fn.(flib.Starter); ok {
			_ = s.safely("stopping "+a.Def.Name, func() error { st.Stop(); return nil }) // logged
		}
	}
}

// closeAll closes functions in order and returns the first error.
func (s *Session) closeAll(functions []*instance) (first error) {
	for _, a := range functions {
		if c, ok := a.Fn.(flib.Closer); ok {
			if err := s.safely("closing "+a.Def.Name, c.Close); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// activate makes the flow's chain and puts it into the next plan, unless the device has
// ended.
func (s *Session) activate(f *Flow) error {
	c, now, e := f.capture, time.Now(), s.engine
	ch := f.newChain()
	if c.info.HostClock {
		ch.SetSince(now)
	} else {
		ch.SetSince(time.Time{})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := c.overForLocked(f); err != nil {
		return err
	}
	if err := f.analysersFailedLocked(); err != nil {
		return err
	}
	if err := f.lostRightLocked(); err != nil {
		return err
	}
	f.chain, f.start = ch, now
	for _, a := range f.functions {
		a.Live.Store(true)
	}
	f.connected.Connect(ch.Since())
	f.place.SetStart(now.UnixNano())
	f.setStatusLocked(FlowActive)
	c.connected++
	st := c.stakeLocked(s)
	ch.Share = st.Share
	c.addLocked(f)
	c.joinLocked(st, ch)
	return nil
}

// lostRightLocked returns why the session may not have the flow any more, nil if it may. Engine.mu
// is held.
func (f *Flow) lostRightLocked() error {
	if !f.session.client() {
		return nil // that of a derived device
	}
	g := f.session.Rights()
	if err := f.capture.device.mayCaptureLocked(g); err != nil {
		return err
	}
	for _, a := range f.functions {
		if err := mayApply(g, a.Def, a.library); err != nil {
			return err
		}
	}
	if !f.capture.device.hasForced(f.session) {
		return mapierr.New(mapierr.AuthFailed, "other functions are forced on the flows of %s now: make the flow anew", f.session.payer())
	}
	return nil
}

// hasForced reports whether the device has behind it what is forced on the flows of a session.
func (d *device) hasForced(s *Session) bool {
	name := d.spec.Name
	if d.owner != nil {
		name = "" // a capture file
	}
	var have []funccall.Call
	if d.recipe != nil {
		have = d.recipe.calls
	}
	want := s.forced(name)
	return len(have) == 0 && len(want) == 0 || reflect.DeepEqual(have, want)
}

// newChain makes the chain of the flow's functions and gives them their share keys, except
// the prefilter, which is shared by its compiled program.
func (f *Flow) newChain() *chain.Chain {
	var functions []*chain.Instance
	for i, a := range ordered(f.functions) {
		if i > 0 || a.Classifier == nil {
			a.setShareKey()
		}
		functions = append(functions, &a.Instance)
	}
	return chain.New(f.id, f, functions, &f.started, &f.connected)
}

// chains returns the chains of flows. A flow that was never connected has none.
func chains(flows []*Flow) (list []*chain.Chain) {
	for _, f := range flows {
		if f.chain != nil {
			list = append(list, f.chain)
		}
	}
	return list
}

// CloseFlow ends a flow. When it returns, no packet reaches the flow any more and its
// functions have finished writing. It returns 6145 if there is no such flow.
func (s *Session) CloseFlow(fd int32) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Unlock()
	f, err := s.flow(fd)
	if err != nil {
		return err
	}
	s.closeFlows([]*Flow{f})
	return nil
}

// closeFlows closes flows together. A batch may be under way in them; the order of steps
// keeps it from using freed memory:
//
//   - removeLocked marks the chains: the loop skips them from now on.
//   - interrupt ends waits of their functions in the middle of a batch.
//   - Quiesce waits until the batch under way has left the chains.
//   - Finish lets the functions pass on what they hold, then finish closes them.
//   - sever keeps functions of other flows from reading the results.
//   - release frees the memory.
//
// s.calls is held.
func (s *Session) closeFlows(flows []*Flow) {
	byCapture := make(map[*capture][]*Flow)
	s.engine.mu.Lock()
	for _, f := range flows {
		byCapture[f.capture] = append(byCapture[f.capture], f)
		f.delistLocked()
	}
	for c, closing := range byCapture {
		c.removeLocked(closing)
	}
	s.engine.mu.Unlock()
	for _, f := range flows {
		s.interrupt(f.functions)
	}
	for _, f := range flows {
		for _, a := range f.functions {
			a.Closing.Store(true)
		}
	}
	// A function may read the result of another flow on another device, so all loops leave
	// the flows before anything is released.
	for c, closing := range byCapture {
		c.loop.Quiesce(chains(closing))
	}
	for _, f := range flows {
		f.windDown()
		s.finish(f)
	}
	s.sever(flows)
	freed := 0
	for _, f := range flows {
		freed += f.bytes()
		s.release(f)
	}
	s.engine.reclaim.add(freed)
	for c, closing := range byCapture {
		c.device.release(len(closing))
	}
}

// interrupt makes functions stop waiting for a program.
func (s *Session) interrupt(functions []*instance) {
	for _, a := range functions {
		if w, ok := a.Fn.(flib.Interrupter); ok {
			_ = s.safely("interrupting "+a.Def.Name, func() error { w.Interrupt(); return nil }) // logged
		}
	}
}

// interruptAll makes the functions of all flows stop waiting for a program, at the same time.
func (s *Session) interruptAll() {
	var functions [][]*instance
	s.engine.mu.Lock()
	for f := range s.flows.all() {
		functions = append(functions, f.functions)
	}
	s.engine.mu.Unlock()
	for _, list := range functions {
		s.interrupt(list)
	}
}

// removeLocked closes the chains of flows. They stay in the plan, where the loop skips them,
// until Tidy finds that there are many, or that they keep much memory, which is nobody's any more.
// Engine.mu is held.
func (c *capture) removeLocked(closing []*Flow) {
	kept := 0
	for _, f := range closing {
		f.status = FlowClosed
		if f.chain == nil {
			continue
		}
		f.chain.Close()
		c.connected--
		c.leaveLocked(f.session)
		kept += f.bytes()
	}
	c.tellWaitingLocked(closing)
	c.loop.Tidy(c.connected, kept)
	c.compactor.stirLocked()
}

// tellWaitingLocked notifies functions that wait for flows which were not connected and now
// never will be. The loop notifies them between batches, so that all go on from the same
// packet. Engine.mu is held.
func (c *capture) tellWaitingLocked(closing []*Flow) {
	if c.ended {
		return // finish notifies them
	}
	for _, f := range closing {
		if _, ok := f.started.Connected(); ok || !f.awaited {
			continue
		}
		c.loop.Notify(&f.started, &f.connected, c.now())
	}
}

// now is the time stamp of the first packet that a flow connected now can see.
func (c *capture) now() uint64 {
	if !c.info.HostClock {
		return 0
	}
	return pkt.FromTime(time.Now())
}

// windDown lets the functions of a flow that is being closed pass on what they hold.
func (f *Flow) windDown() {
	if f.chain == nil {
		return
	}
	for _, a := range f.functions {
		if a.Ring != nil {
			a.Ring.Sever()
		}
	}
	f.capture.loop.FinishClosed(f.chain)
}

// finish closes the functions of a flow that no packet reaches any more. The functions that
// they refer to still exist. Functions that wait for the flow go on.
func (s *Session) finish(f *Flow) {
	if err := s.closeAll(f.functions); err != nil {
		s.log("flow %d on %s: close: %v", f.id, f.capture.device.spec.Name, err)
	}
	f.connected.Close(f.capture.now())
	if !f.awaited || f.capture.over() {
		f.started.Close(0)
	}
}

// release frees the memory of a flow, which nobody uses any more.
func (s *Session) release(f *Flow) {
	if !s.gone { // else the connection has ended, and the client knows
		f.place.SetStatus(uint64(FlowClosed))
	}
	f.capture.lostByClosed.Add(f.lost()) // before the books are freed
	for _, a := range f.functions {
		s.free(a)
	}
	s.memory.FreeFlow(f.place)
	s.user.account.GiveSum(flowSum)
}
