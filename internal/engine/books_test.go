package engine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/pkt"
)

// note returns a line or note of the books by its name.
func note(t *testing.T, b books.Stage, name string) uint64 {
	t.Helper()
	for _, l := range append(b.Out[:len(b.Out):len(b.Out)], b.Notes...) {
		if l.Name == name {
			return l.Value
		}
	}
	t.Fatalf("no line %q in %+v", name, b)
	return 0
}

// keeper is a function that puts packets somewhere.
type keeper struct {
	script
	books func() []books.Line
}

func (k *keeper) Books() (out, notes []books.Line) { return k.books(), nil }

// keepers makes a library of one keeper.
func keepers(name string, k *keeper) flib.Library {
	return flib.Library{Name: "keepers", Functions: []flib.Def{{
		Name: name, New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) { return k, nil },
	}}}
}

// TestUncountedPacketIsMissed uses a function that counts one packet too few.
func TestUncountedPacketIsMissed(t *testing.T) {
	kept := uint64(0)
	k := &keeper{books: func() []books.Line { return []books.Line{{Name: books.Written, Value: kept}} }}
	k.process = func(in []*flib.Packet) []*flib.Packet { kept += uint64(len(in)); return in }
	b := newBed(t, keepers("KEEP", k))
	c := b.client(1)
	fd, _ := c.connected(fn("KEEP"))
	b.source.Send(udp(1, 0), udp(1, 1))
	functions, _ := c.Functions(fd)
	if s := functions[0].Books; s.In != 2 || s.Moved != 0 || !s.Balances() {
		t.Errorf("%+v", s)
	}
	kept--
	functions, _ = c.Functions(fd)
	if s := functions[0].Books; s.Missing() != 1 || s.Balances() {
		t.Errorf("one is missing: %+v", s)
	}
}

// TestLossesOutliveTheirFlow closes flows that lose packets, one of them only at its close.
func TestLossesOutliveTheirFlow(t *testing.T) {
	late := uint64(0)
	k := &keeper{books: func() []books.Line {
		return []books.Line{{Name: books.Written, Value: 9}, {Name: books.LostQueue, Value: 3}, {Name: books.NotWrittenClose, Value: late}}
	}}
	k.close = func() error { late = 4; return nil }
	b := newBed(t, keepers("KEEP", k))
	c := b.client(1)
	fd, _ := c.connected(fn("KEEP"), fn("PKT_COUNTER"))
	stays, _ := c.connected(fn("PKT_COUNTER"))
	wantCode(t, "close", c.CloseFlow(fd), 0)
	s, err := c.DeviceBooks("net0")
	if err != nil {
		t.Fatal(err)
	}
	if n := note(t, s, books.LostClosedFlows); n != 7 {
		t.Errorf("the device says that closed flows have lost %d packets, want 3 and 4", n)
	}
	if f, _ := c.Flow(stays); f.Books.Opening != s.Opening || s.Opening == 0 {
		t.Errorf("flow of opening %d on a device of opening %d", f.Books.Opening, s.Opening)
	}
}

// TestOpeningsDiffer closes a device that still has a flow and opens it again.
func TestOpeningsDiffer(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	old, _ := c.connected(fn("PKT_COUNTER"))
	b.engine.SetDevices([]DeviceSpec{spec("net0", "snap=64")})
	c.told()
	c.connected(fn("PKT_COUNTER"))
	s, err := c.DeviceBooks("net0")
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := c.Flow(old); f.Books.Opening == s.Opening {
		t.Error("a flow of before appears under the device that was opened anew")
	}
}

// TestDeviceAndFlowChain sends packets, some of them older than the connect.
func TestDeviceAndFlowChain(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	all, counted := c.connected(fn("PKT_COUNTER"))
	some, filtered := c.connected(fn("BPF_FILTER", "udp dst port 53"), fn("PKT_COUNTER"))
	bare, _ := c.connected(fn("BPF_FILTER", "udp dst port 53"))
	old := func(p drivers.Packet) drivers.Packet {
		p.TS = pkt.FromTime(time.Now().Add(-time.Hour))
		return p
	}
	b.source.Send(old(udp(53, 0)), old(udp(53, 1)), old(udp(1, 2)), udp(53, 3), udp(1, 4))
	b.source.Send(udp(53, 5), udp(1, 6))
	device, err := c.DeviceBooks("net0")
	if err != nil {
		t.Fatal(err)
	}
	delivered := note(t, device, books.Delivered)
	wantCount(t, "packets", counted[0], 4)
	wantCount(t, "packets behind the filter", filtered[1], 2)
	for _, w := range []struct {
		fd                int32
		in, early, passed uint64
	}{{all, delivered, 3, 4}, {some, 4, 2, 2}, {bare, 4, 2, 2}} {
		f, _ := c.Flow(w.fd)
		s := f.Books
		if s.In != w.in || note(t, s, books.Early) != w.early || note(t, s, books.Passed) != w.passed || s.Moved != 0 || !s.Balances() {
			t.Errorf("flow %d: %+v, want %+v", w.fd, s, w)
		}
	}
	functions, _ := c.Functions(some)
	if first := functions[0]; first.Packets != 4 || first.Passed != 2 {
		t.Errorf("the leading filter was asked about %d and passed %d, want 4 and 2", first.Packets, first.Passed)
	}
}

// TestEmissionsAreOnTheMove reads the books in the middle of an emission that is larger than
// a batch.
func TestEmissionsAreOnTheMove(t *testing.T) {
	const n = 1000
	var many []*flib.Packet
	for range n {
		many = append(many, &pkt.Packet{Link: make([]byte, 60), Wire: 60, LinkType: ethernet})
	}
	var fd int32
	var c *client
	look := func(in []*flib.Packet) []*flib.Packet {
		if len(in) < n {
			return in
		}
		f, _ := c.Flow(fd)
		if s := f.Books; !s.Balances() || s.Moved < n {
			t.Errorf("in the middle: %+v", s)
		}
		functions, _ := c.Functions(fd)
		for _, info := range functions {
			if s := info.Books; !s.Balances() || note(t, *s, books.Passed) > n+1 {
				t.Errorf("%s in the middle: %+v", info.Name, s)
			}
		}
		return in
	}
	emit := func() (out []*flib.Packet) {
		k := min(len(many), flib.MaxList)
		out, many = many[:k], many[k:]
		return out
	}
	b := newBed(t, library(map[string]*script{"MANY": {end: emit}, "LOOK": {process: look}}))
	c = b.client(1)
	fd, _ = c.connected(fn("MANY"), fn("LOOK"))
	b.source.Send(udp(1, 0))
	b.source.End(nil)
	c.told()
	f, _ := c.Flow(fd)
	if s := f.Books; s.In != n+2 || s.Moved != 0 || !s.Balances() {
		t.Errorf("at the end: %+v", s)
	}
}

// TestCloseSaysWhatIsLost closes a flow whose file is a full pipe.
func TestCloseSaysWhatIsLost(t *testing.T) {
	b := newBed(t)
	var logged []string
	b.engine.opts.Log = func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) }
	c := b.client(1)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	fd, _ := c.connected(fn("TO_FILE", int64(0), flib.OpenFile{File: foreigntest.Own(t, w), Path: "pipe"}, uint64(0)))
	b.source.Send(udp(1, 0), udp(1, 1), udp(1, 2))
	wantCode(t, "close", c.CloseFlow(fd), 0)
	if len(logged) != 1 || !strings.HasSuffix(logged[0], "; 3 packets were not written") {
		t.Errorf("the log says %q", logged)
	}
	s, err := c.DeviceBooks("net0")
	if err != nil {
		t.Fatal(err)
	}
	if n := note(t, s, books.LostClosedFlows); n != 3 {
		t.Errorf("the device says that closed flows have lost %d packets, want 3", n)
	}
}
