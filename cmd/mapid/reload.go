package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"gomapi/internal/config"
)

// A reloader reloads the configuration on SIGHUP.
type reloader struct {
	options *options
	load    func(*options) (*setup, error)
	libs    *libraries
	log     *logger
	first   *setup              // configuration at the start, for keys that need a restart
	last    *setup              // the configuration applied last
	out     chan *config.Config // configurations to apply
}

func newReloader(o *options, s *setup, libs *libraries, log *logger) *reloader {
	return &reloader{options: o, load: configure, libs: libs, log: log, first: s, last: s, out: make(chan *config.Config)}
}

// reloadWait is how long the end of the daemon waits for a pending read of the
// configuration. A file system that does not respond blocks the goroutine
// forever; the goroutine ends with the process.
const reloadWait = 500 * time.Millisecond

// start starts handling SIGHUP. If the terminal is gone, the handler calls
// stop, which ends ctx. The returned function also calls stop, and waits for
// the handler for at most reloadWait.
func (r *reloader) start(ctx context.Context, hup *hangUps, stop func()) (end func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.follow(ctx, hup, stop)
	}()
	return func() {
		stop()
		select {
		case <-done:
		case <-time.After(reloadWait):
		}
	}
}

// follow handles signals until ctx ends. Several signals during a read cause
// one further read.
func (r *reloader) follow(ctx context.Context, hup *hangUps, stop func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup.arrived:
		}
		if hup.fromTerminal() {
			r.log.Info("the terminal is gone")
			stop()
			return
		}
		s, err := r.read()
		if ctx.Err() != nil {
			return
		}
		var apply func()
		if err == nil {
			apply, err = r.libs.prepare(s)
		}
		if err != nil {
			r.log.Errorf("the configuration is unchanged: %v", err)
			continue
		}
		select {
		case r.out <- s.Config:
			apply()
			boundMemory(s.Config)
			r.last = s
		case <-ctx.Done():
			apply() // so that the new libraries are closed too
		}
	}
}

// read reads the configuration and logs its problems. It fails if there is
// nothing to apply.
func (r *reloader) read() (*setup, error) {
	s, err := r.load(r.options)
	if err != nil {
		return nil, err
	}
	if s.Auto && !r.last.Auto {
		// A file that is missing for a moment must not open all interfaces.
		return nil, errors.New(s.note)
	}
	s.report(r.log)
	if err := s.servable(r.options.group); err != nil {
		return nil, err
	}
	for _, key := range fixed(r.first.Config, s.Config) {
		r.log.Warnf("%s: the change of %s takes effect at the next start", s.where(), key)
	}
	return s, nil
}

// fixed returns the keys that differ between the configuration of the start and
// the new one, and that a running daemon cannot change.
func fixed(start, now *config.Config) (keys []string) {
	for _, k := range []struct {
		name string
		same bool
	}{
		{"dimapi_port", start.DimapiPort == now.DimapiPort},
		{"log_level", start.LogLevel == now.LogLevel},
		{"logfile", start.LogFile == now.LogFile},
		{"local", start.Local == now.Local},
		{"the list of [format] sections", slices.Equal(formats(start), formats(now))},
	} {
		if !k.same {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// formats returns the numbers of the served formats in ascending order.
func formats(c *config.Config) (numbers []int) {
	for _, f := range c.Formats {
		numbers = append(numbers, f.Format)
	}
	slices.Sort(numbers)
	return numbers
}
