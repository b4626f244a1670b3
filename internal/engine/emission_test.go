package engine

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/books"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/pkt"
)

// sent is traffic of several seconds: every tenth packet names a port, the others go to ports
// of which some were named.
func sent(n int) (pkts []drivers.Packet) {
	start := pkt.FromTime(time.Now().Add(time.Minute))
	for i := range n {
		p := udp(uint16(1000+i%13), uint32(i))
		if i%10 == 0 {
			p = udp(7, 0)
			binary.BigEndian.PutUint16(p.Link[42:], uint16(1000+i/10%13))
		}
		p.TS = start + uint64(i)<<25 // 128 a second
		pkts = append(pkts, p)
	}
	return pkts
}

// contractFlows are flows whose functions use all parts of the contract.
func contractFlows() [][][]any {
	filter := fn("BPF_FILTER", "udp dst port 1003 or udp dst port 1005")
	return [][][]any{
		{fn("ECHO"), fn("PKT_COUNTER"), filter, fn("PKT_COUNTER"), fn("BYTE_COUNTER")},
		{filter, fn("JOIN"), fn("BYTE_COUNTER"), fn("PKT_COUNTER")},
		{fn("JOIN"), fn("ECHO"), fn("STR_SEARCH", "|00 00 00 11|", int64(0), int64(0)), fn("PKT_COUNTER")},
		{fn("LEARNED"), fn("PKT_COUNTER"), fn("ECHO"), fn("LEARNED"), fn("PKT_COUNTER")},
		{fn("LEARNED"), fn("PKT_COUNTER")},
		{fn("ECHO"), fn("LENGTHS"), fn("PKT_COUNTER")},
	}
}

// inLockstep adds a function to a flow that refers to the flow's last one.
func (c *client) inLockstep(fd int32) {
	c.t.Helper()
	functions, err := c.Functions(fd)
	if err != nil {
		c.t.Fatal(err)
	}
	last := functions[len(functions)-1].FID
	if _, err := c.Apply(c.t.Context(), fd, "THRESHOLD", []any{int64(2), int64(fd), int64(last), uint64(1), int64(1), int64(0)}); err != nil {
		c.t.Fatal(err)
	}
}

// expectation counts what the flows must count, from the packets alone.
func expectation(pkts []drivers.Packet) (want map[string]uint64) {
	want = make(map[string]uint64)
	var known [1 << 16]bool
	filtered := uint64(0)
	for _, p := range pkts {
		port := binary.BigEndian.Uint16(p.Link[36:])
		switch {
		case port == 7:
			known[binary.BigEndian.Uint16(p.Link[42:])] = true
		case known[port]:
			want["learned"]++
		}
		if port == 1003 || port == 1005 {
			filtered++
		}
	}
	want["echoed"] = 2 * uint64(len(pkts))
	want["echoed, filtered"] = 2 * filtered
	want["joined"] = (filtered + 2) / 3
	want["joined bytes"] = 60 * filtered
	return want
}

// The functions see and emit the same whatever the batches are, in lockstep and not; the books
// balance.
func TestContracts(t *testing.T) {
	pkts := sent(1500)
	want := expectation(pkts)
	for _, inStep := range []bool{false, true} {
		for _, size := range []int{1, 7, 256} {
			t.Run(fmt.Sprintf("lockstep=%v,batch=%d", inStep, size), func(t *testing.T) {
				b := newBed(t, flibtest.Library())
				c := b.client(1)
				var counts [][]uint64
				var fds []int32
				read := func() {}
				for _, functions := range contractFlows() {
					fd, results := c.flow(functions...)
					if inStep {
						c.inLockstep(fd)
					}
					if err := c.Connect(t.Context(), fd); err != nil {
						t.Fatal(err)
					}
					fds = append(fds, fd)
					before := read
					read = func() {
						before()
						var row []uint64
						for _, r := range results {
							if r != nil {
								row = append(row, r.Uint64())
							}
						}
						counts = append(counts, row)
					}
				}
				for batch := range slices.Chunk(pkts, size) {
					b.source.Send(batch...)
					c.balance(fds)
				}
				b.source.End(nil)
				if err := c.told(); err != nil {
					t.Fatal(err)
				}
				c.balance(fds)
				read()
				got := map[string]uint64{
					"echoed": counts[0][0], "echoed, filtered": counts[0][1],
					"joined bytes": counts[1][0], "joined": counts[1][1],
					"learned": counts[3][0],
				}
				for what, n := range want {
					if got[what] != n {
						t.Errorf("%s: %d, want %d", what, got[what], n)
					}
				}
				if counts[3][1] != 0 {
					t.Errorf("%d emitted packets have a mark", counts[3][1])
				}
				if counts[4][0] != want["learned"] || counts[5][1] != want["echoed"] {
					t.Errorf("counts %d", counts)
				}
				if counts[2][0] == 0 {
					t.Error("no string was found in packets that were emitted")
				}
			})
		}
	}
}

// balance checks the books of flows.
func (c *client) balance(fds []int32) {
	c.t.Helper()
	for _, fd := range fds {
		f, ok := c.Flow(fd)
		if !ok {
			c.t.Fatalf("flow %d is not there", fd)
		}
		if s := f.Books; !s.Balances() {
			c.t.Errorf("flow %d: %+v", fd, s)
		}
		functions, err := c.Functions(fd)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, info := range functions {
			if info.Books != nil && !info.Books.Balances() {
				c.t.Errorf("flow %d, %s: %+v", fd, info.Name, info.Books)
			}
		}
	}
}

// On a live device what is held leaves when its time has come, without a packet.
func TestDeadlineOfALiveDevice(t *testing.T) {
	b := newBed(t, flibtest.Library())
	b.source.SetHold(0)
	c := b.client(1)
	fd, results := c.connected(fn("ECHO"), fn("PKT_COUNTER"))
	p := udp(53, 0)
	p.TS = pkt.FromTime(time.Now())
	b.source.Send(p, p, p)
	if n := results[1].Uint64(); n != 0 {
		t.Errorf("%d packets at once", n)
	}
	functions, _ := c.Functions(fd)
	if n := note(t, *functions[0].Books, books.Held); n != 3 {
		t.Errorf("%d are held, want 3", n)
	}
	b.until("the echo", func() bool { return results[1].Uint64() == 6 })
	c.balance([]int32{fd})
}

// What a function holds reaches the functions behind it when the flow is closed.
func TestHeldWhenClosed(t *testing.T) {
	b := newBed(t, flibtest.Library())
	c := b.client(1)
	path := filepath.Join(t.TempDir(), "out")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	fd, _ := c.connected(fn("ECHO"), fn("TO_FILE", int64(0), flib.OpenFile{File: foreigntest.Own(t, file), Path: path}, uint64(0)))
	b.source.Send(sent(10)...)
	if err := c.CloseFlow(fd); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || len(data) != 24+20*(16+60) {
		t.Errorf("the file has %d bytes, %v, want 20 packets", len(data), err)
	}
}
