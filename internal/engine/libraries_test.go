package engine

import (
	"context"
	"sync/atomic"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// A library that is replaced stays for its instances, and is closed after the last one.
func TestLibraryThatIsReplaced(t *testing.T) {
	closed := 0
	lib := library(map[string]*script{"OLD": {}})
	lib.Close = func() error { closed++; return nil }
	b := newBed(t)
	c := b.client(1)
	registry := b.engine.opts.Functions
	std := registry.Libraries()[0]
	registry.Replace(std, flib.Load(lib, nil))
	fd, results := c.connected(fn("OLD"), fn("PKT_COUNTER"))
	other, _ := c.flow(fn("OLD"))
	if _, err := c.Apply(t.Context(), other, "OLD", []any{int64(1)}); err == nil {
		t.Error("too many arguments are accepted")
	}
	registry.Replace(std)
	b.source.Send(udp(53, 0))
	wantCount(t, "packets behind a function of a library that is gone", results[1], 1)
	_, err := c.Apply(t.Context(), other, "OLD", nil)
	wantCode(t, "another instance", err, mapierr.FunctionNotFound)
	if wantCode(t, "close", c.CloseFlow(fd), 0); closed != 0 {
		t.Error("closed while an instance is there")
	}
	if wantCode(t, "close", c.CloseFlow(other), 0); closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}

// An apply finds a function that is there before a reload and after it, whenever the reload
// comes.
func TestApplyBesideReloads(t *testing.T) {
	const applies = 2000
	b := newBed(t)
	c := b.client(1)
	registry := b.engine.opts.Functions
	std := registry.Libraries()[0]
	var closed atomic.Int64
	made := int64(0)
	anew := func() *flib.Loaded {
		lib := library(map[string]*script{"NEW": {}})
		lib.Close = func() error { closed.Add(1); return nil }
		made++
		return flib.Load(lib, nil)
	}
	registry.Replace(std, anew())
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-over:
				return
			default:
				registry.Replace(std, anew())
			}
		}
	}()
	for range applies / 4 {
		fd, _ := c.flow() // without functions
		for range 4 {
			if _, err := c.Apply(t.Context(), fd, "NEW", nil); err != nil {
				t.Errorf("apply: %v", err)
			}
		}
		wantCode(t, "close", c.CloseFlow(fd), 0)
	}
	close(over)
	<-done
	if registry.Replace(std); closed.Load() != made {
		t.Errorf("%d libraries of %d are closed", closed.Load(), made)
	}
}

// A reload between the forms of a function does not take away those that are still to be tried.
func TestReloadBetweenForms(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	registry := b.engine.opts.Functions
	std := registry.Libraries()[0]
	closed := 0
	soft := func() *flib.Loaded {
		lib := library(map[string]*script{"FORM": {}})
		lib.Close = func() error { closed++; return nil }
		return flib.Load(lib, nil)
	}
	hard := flib.Load(flib.Library{Name: "hard", Functions: []flib.Def{{
		Name: "FORM", DevType: drivers.TypeNIC,
		New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) {
			registry.Replace(std, soft())
			return nil, mapierr.New(mapierr.CouldNotApplyFunction, "the card is full")
		},
	}}}, nil)
	registry.Replace(std, hard, soft())
	fd, _ := c.flow()
	_, err := c.Apply(t.Context(), fd, "FORM", nil)
	if wantCode(t, "apply", err, 0); closed != 0 {
		t.Error("closed while an instance is there")
	}
	if wantCode(t, "close", c.CloseFlow(fd), 0); closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}
