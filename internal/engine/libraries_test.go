package engine

import (
	"testing"

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
