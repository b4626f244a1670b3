package engine

import (
	"slices"
	"time"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/datapath"
	"gomapi/internal/mapierr"
	"gomapi/internal/share"
)

// An analyser is an analyser of a device with the instances that ask for it.
type analyser struct {
	datapath.Analysis
	capture *capture
	users   []*instance // guarded by Engine.mu
	failed  bool        // likewise
}

// Analyser implements flib.Env.
func (e *env) Analyser(key string, make func() (flib.Analyser, error)) (*flib.Marks, error) {
	c := e.capture
	c.analysing.Lock() // for make
	defer c.analysing.Unlock()
	e.session.engine.mu.Lock()
	a := c.analysers[key]
	failed := a != nil && a.failed
	e.session.engine.mu.Unlock()
	switch {
	case failed:
		return nil, a.errFailed()
	case slices.Contains(e.instance.asked(), a):
		return &a.Marks, nil
	}
	if a == nil {
		fn, err := make()
		if err != nil {
			return nil, err
		}
		a = &analyser{capture: c, Analysis: datapath.Analysis{Key: key, Analyser: fn}}
		a.Users = a.fail
	}
	e.session.engine.mu.Lock()
	defer e.session.engine.mu.Unlock()
	a.addLocked(e)
	return &a.Marks, nil
}

// addLocked adds an instance that is being made to the users of the analyser. Engine.mu is held.
func (a *analyser) addLocked(e *env) {
	a.capture.analysers[a.Key] = a
	a.users = append(a.users, e.instance)
	r := e.instance.rarely()
	r.analysers = append(r.analysers, a)
	r.stake = a.capture.stakeLocked(e.session)
	r.stake.asks++
	a.reviseLocked()
}

// reviseLocked makes those who ask for the analyser pay for it. It does not run while all of
// them are passed by. Engine.mu is held.
func (a *analyser) reviseLocked() {
	bill, wanted := new(share.Bill), false
	for _, u := range a.users {
		bill.Add(u.rare.stake.Share, 1)
		wanted = wanted || !u.rare.stake.Passed()
	}
	a.Bill.Store(bill)
	if wanted {
		a.capture.loop.Analyse(&a.Analysis)
	} else {
		a.capture.loop.Forget(&a.Analysis)
	}
}

func (a *analyser) errFailed() error {
	return mapierr.New(mapierr.CouldNotInitFunction,
		"analyser %s of device %s has failed: close the flows that use it first", a.Key, a.capture.device.spec.Name)
}

// analysersFailedLocked returns an error if an analyser for which the flow asks has failed.
// Engine.mu is held.
func (f *Flow) analysersFailedLocked() error {
	for _, in := range f.functions {
		for _, a := range in.asked() {
			if a.failed {
				return a.errFailed()
			}
		}
	}
	return nil
}

// fail notes that the analyser has failed and returns the chains that ask for it. The capture
// goroutine calls it.
func (a *analyser) fail() (users []*chain.Chain) {
	e := a.capture.device.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	a.failed = true
	for _, f := range a.capture.flowsLocked() {
		if slices.ContainsFunc(f.functions, func(in *instance) bool { return slices.Contains(in.asked(), a) }) {
			users = append(users, f.chain)
		}
	}
	return users
}

// forget removes a user of the analyser, which gets no packets any more. After the last one it
// closes the analyser.
func (a *analyser) forget(in *instance) {
	c := a.capture
	e := c.device.engine
	c.analysing.Lock()
	defer c.analysing.Unlock()
	e.mu.Lock()
	a.users = slices.DeleteFunc(a.users, func(u *instance) bool { return u == in })
	in.rare.stake.asks--
	c.dropStakesLocked(time.Now())
	last := len(a.users) == 0
	if last {
		delete(c.analysers, a.Key)
	}
	a.reviseLocked()
	e.mu.Unlock()
	if !last {
		return
	}
	c.loop.Quiesce(nil)
	if closer, ok := a.Analyser.(flib.Closer); ok {
		if err := report(c.device.log).safely("closing analyser "+a.Key, closer.Close); err != nil {
			c.device.log("device %s: analyser %s: close: %v", c.device.spec.Name, a.Key, err)
		}
	}
}
