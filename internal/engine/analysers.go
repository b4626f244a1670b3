package engine

import (
	"slices"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/datapath"
	"gomapi/internal/mapierr"
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
	c, mu := e.capture, &e.session.engine.mu
	c.analysing.Lock() // for make
	defer c.analysing.Unlock()
	mu.Lock()
	a := c.analysers[key]
	failed := a != nil && a.failed
	mu.Unlock()
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
	mu.Lock()
	defer mu.Unlock()
	if len(a.users) == 0 {
		c.analysers[key] = a
		c.loop.Analyse(&a.Analysis)
	}
	a.users = append(a.users, e.instance)
	r := e.instance.rarely()
	r.analysers = append(r.analysers, a)
	return &a.Marks, nil
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
	last := len(a.users) == 0
	if last {
		delete(c.analysers, a.Key)
		c.loop.Forget(&a.Analysis)
	}
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
