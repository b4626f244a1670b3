package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/account"
	"gomapi/internal/books"
	"gomapi/internal/bpf"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

// A gate compiles filters; those for one link type wait until it is open.
type gate struct {
	libpcap.InProcess
	linkType uint16
	open     chan struct{}
	mu       sync.Mutex
	types    []uint16 // of all filters so far
}

func (g *gate) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	g.mu.Lock()
	g.types = append(g.types, linkType)
	g.mu.Unlock()
	if linkType == g.linkType {
		select {
		case <-g.open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.InProcess.Compile(ctx, expr, linkType)
}

func (g *gate) compiled() []uint16 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.types)
}

// mixedBed is a bed whose live device announces these link types, and what the engine logs.
func mixedBed(t *testing.T, g *gate, types ...uint16) (*bed, func() []string) {
	b := newBed(t)
	b.source = b.driver.Add("net0", drivers.Info{DevType: drivers.TypeNIC, LinkType: types[0], LinkTypes: types, Snap: 65535, HostClock: true})
	b.engine.opts.Compiler = g
	var mu sync.Mutex
	var lines []string
	b.engine.opts.Log = func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	return b, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(lines)
	}
}

// awaitLinkType waits until all filters are compiled for a link type.
func (b *bed) awaitLinkType(linkType uint16) {
	b.t.Helper()
	testenv.Until(b.t, fmt.Sprintf("filters are compiled for link type %d", linkType), func() bool {
		b.engine.mu.Lock()
		defer b.engine.mu.Unlock()
		return slices.Contains(b.engine.devices[0].cur.linkTypes, linkType)
	})
}

func ofType(linkType uint16) drivers.Packet {
	p := udp(53, 0)
	p.LinkType = linkType
	return p
}

func deviceLine(t *testing.T, c *client, name string) uint64 {
	t.Helper()
	b, err := c.DeviceBooks("net0")
	if err != nil {
		t.Fatal(err)
	}
	if !b.Balances() {
		t.Errorf("books do not balance: %+v", b)
	}
	for _, l := range slices.Concat(b.Out, b.Notes) {
		if l.Name == name {
			return l.Value
		}
	}
	t.Fatalf("no line %q in %+v", name, b)
	return 0
}

// TestAnnouncedLinkTypes: filters are compiled at connect for all link types that a live
// device announces, and never afterwards.
func TestAnnouncedLinkTypes(t *testing.T) {
	g := &gate{linkType: 0xffff}
	b, logged := mixedBed(t, g, ethernet, rawIP, 113)
	c := b.client(1)
	_, some := c.connected(fn("BPF_FILTER", "len >= 0"), fn("PKT_COUNTER"))
	before := g.compiled()
	for _, lt := range []uint16{rawIP, ethernet, 113, rawIP} {
		b.source.Send(ofType(lt), ofType(lt))
	}
	wantCount(t, "packets behind the filter", some[1], 8)
	if after := g.compiled(); len(before) != 3 || len(after) != 3 {
		t.Errorf("compiled for %v before the first packet, %v after the last", before, after)
	}
	if n := deviceLine(t, c, books.OfWhichUnfiltered); n != 0 || len(logged()) != 0 {
		t.Errorf("%d packets were not filtered, log %q", n, logged())
	}
}

// TestLinkTypeNotAnnounced: the capture goroutine of a live device does not wait for the
// filters of a link type that was not announced. They match its packets later.
func TestLinkTypeNotAnnounced(t *testing.T) {
	g := &gate{linkType: rawIP, open: make(chan struct{})}
	b, logged := mixedBed(t, g, ethernet)
	c, other := b.client(1), b.client(2)
	_, all := c.connected(fn("PKT_COUNTER"))
	_, some := c.connected(fn("BPF_FILTER", "len >= 0"), fn("PKT_COUNTER"))
	for range 3 {
		b.source.Send(ofType(rawIP), ofType(ethernet)) // returns while the filter is being compiled
	}
	wantCount(t, "all packets", all[0], 6)
	wantCount(t, "packets of the type that was announced", some[1], 3)
	if n := deviceLine(t, c, books.OfWhichUnfiltered); n != 3 {
		t.Errorf("%d packets were not filtered, want 3", n)
	}
	testenv.Until(t, "the filter is being compiled", func() bool { return slices.Contains(g.compiled(), rawIP) })
	close(g.open)
	b.awaitLinkType(rawIP)
	_, late := other.connected(fn("BPF_FILTER", "len >= 0"), fn("PKT_COUNTER"))
	b.source.Send(ofType(rawIP), ofType(rawIP))
	wantCount(t, "packets of both types", some[1], 5)
	wantCount(t, "packets of a new flow", late[1], 2)
	if n := deviceLine(t, c, books.OfWhichUnfiltered); n != 3 {
		t.Errorf("%d packets were not filtered, want 3", n)
	}
	if lines := logged(); len(lines) != 1 || !strings.Contains(lines[0], "link type 12") {
		t.Errorf("log %q, want one line", lines)
	}
}

// TestCloseWhileFiltersAreCompiled stops the device while a filter is compiled for a link type
// that was not announced: nothing waits for the compiler, and the user's quota is given back.
func TestCloseWhileFiltersAreCompiled(t *testing.T) {
	g := &gate{linkType: rawIP, open: make(chan struct{})}
	b, _ := mixedBed(t, g, ethernet)
	c := b.client(1)
	c.connected(fn("BPF_FILTER", "len >= 0"), fn("PKT_COUNTER"))
	b.source.Send(ofType(rawIP))
	testenv.Until(t, "the filter is being compiled", func() bool { return slices.Contains(g.compiled(), rawIP) })
	b.engine.SetDevices(nil)
	c.Session.Close()
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	if n := c.taken(account.Memory); n != 0 {
		t.Errorf("the user holds %d bytes", n)
	}
}

// TestReplay: a flow on a live device whose times are not those of the host's clock sees all
// packets that come after its connect, and none from before.
func TestReplay(t *testing.T) {
	old := time.Date(2010, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, hostClock := range []bool{false, true} {
		t.Run(fmt.Sprintf("host clock %v", hostClock), func(t *testing.T) {
			b := newBed(t)
			b.source = b.driver.Add("net0", drivers.Info{DevType: drivers.TypeNIC, LinkType: ethernet, Snap: 65535, HostClock: hostClock})
			c := b.client(1)
			want := uint64(0) // with the host's clock, these packets are from before the connect
			for round := range 3 {
				fd, counts := c.connected(fn("PKT_COUNTER"))
				_, filtered := c.connected(fn("BPF_FILTER", "udp"), fn("BYTE_COUNTER"))
				for i := range 4 {
					p := udp(53, 0)
					p.TS = pkt.FromTime(old.Add(time.Duration(i) * time.Second)) // goes back in each round
					b.source.Send(p)
				}
				if !hostClock {
					want = 4
				}
				wantCount(t, fmt.Sprintf("packets in round %d", round), counts[0], want)
				wantCount(t, fmt.Sprintf("bytes in round %d", round), filtered[1], 60*want)
				info, _ := c.Flow(fd)
				if !info.Books.Balances() {
					t.Errorf("books of the flow: %+v", info.Books)
				}
			}
		})
	}
}

// A filtering device refuses each second packet itself.
type filtering struct{ drivers.Device }

func (f filtering) Stats() drivers.Stats {
	st := f.Device.Stats()
	st.Filtered, st.SkippedRecords, st.UnknownLosses = st.Recv, 7, 2
	st.Recv *= 2
	return st
}

type filteringDriver struct{ drivers.Driver }

func (d filteringDriver) Open(ctx context.Context, c drivers.Config) (drivers.Device, error) {
	dev, err := d.Driver.Open(ctx, c)
	return filtering{dev}, err
}

// TestBooksOfAFilteringDevice: what a device refuses itself is a line of its own, and what are
// no packets are notes.
func TestBooksOfAFilteringDevice(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Drivers.Add("fake", filteringDriver{b.driver})
	c := b.client(1)
	c.connected(fn("PKT_COUNTER"))
	b.source.Send(udp(53, 0), udp(53, 1), udp(53, 2))
	for name, want := range map[string]uint64{books.Filtered: 3, books.Delivered: 3, books.SkippedRecords: 7, books.UnknownLosses: 2} {
		if n := deviceLine(t, c, name); n != want {
			t.Errorf("%s: %d, want %d", name, n, want)
		}
	}
	if st, err := c.DeviceStats("net0"); err != nil || st.Filtered != 3 || st.SkippedRecords != 7 || st.UnknownLosses != 2 {
		t.Errorf("stats %+v, %v", st, err)
	}
}
