package engine

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/pkt"
)

// allocated returns the memory that a file of a client takes, in bytes.
func allocated(t *testing.T, f *os.File) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// kept returns a descriptor that a client keeps of a file.
func kept(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	own := os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { own.Close() })
	return own
}

// filling is a connected flow with a packet buffer that is full.
func (c *client) filling(t *testing.T, b *bed) (fd int32, data *os.File) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), "net0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Apply(t.Context(), f.FD, "TO_BUFFER", nil)
	if err != nil {
		t.Fatal(err)
	}
	data = kept(t, a.Ring.Files()[0])
	wantCode(t, "connect", c.Connect(t.Context(), f.FD), 0)
	long := drivers.Packet{TS: pkt.FromTime(time.Now()), Link: make([]byte, 60_000), Wire: 60_000, LinkType: ethernet}
	for range 100 {
		b.source.Send(long)
	}
	return f.FD, data
}

// TestMemoryEndsWithFlowAndConnection: what a client keeps of packets and results takes no
// memory after their flow or its connection has ended, unless the daemon ends.
func TestMemoryEndsWithFlowAndConnection(t *testing.T) {
	const full = 3 << 20
	for name, c := range map[string]struct {
		end             func(*bed, *client, int32)
		buffer, results bool // that stay
	}{
		"close of the flow":       {func(_ *bed, c *client, fd int32) { wantCode(t, "close", c.CloseFlow(fd), 0) }, false, true},
		"close of the connection": {func(_ *bed, c *client, _ int32) { c.Close() }, false, false},
		"end of the daemon":       {func(b *bed, c *client, _ int32) { b.engine.LeaveMemory(); c.Close() }, true, true},
		"end of the engine":       {func(b *bed, _ *client, _ int32) { b.engine.Close() }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			session := b.client(1)
			results := kept(t, session.Results())
			fd, data := session.filling(t, b)
			if got := allocated(t, data); got < full {
				t.Fatalf("a full buffer takes %d bytes", got)
			}
			c.end(b, session, fd)
			if got := allocated(t, data); c.buffer && got < full || !c.buffer && got > 0 {
				t.Errorf("the buffer takes %d bytes", got)
			}
			if got := allocated(t, results); c.results != (got > 0) {
				t.Errorf("the results take %d bytes", got)
			}
		})
	}
}

// writable maps a file as root can, for writing.
func writable(t *testing.T, f *os.File) []byte {
	t.Helper()
	again, err := os.OpenFile(fmt.Sprint("/proc/self/fd/", f.Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	st, err := again.Stat()
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(again.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	return mem
}

// TestScribbledMemory writes garbage over all that a client shares with the daemon, as root
// can, while packets come. Nothing is wrong but the results of this client.
func TestScribbledMemory(t *testing.T) {
	b := newBed(t, flib.Library{Name: "samples", Functions: []flib.Def{flibtest.Samples}})
	c, other := b.client(1), b.client(2)
	witness, counts := other.connected(fn("BPF_FILTER", "udp"), fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	f, err := c.CreateFlow(t.Context(), "net0")
	if err != nil {
		t.Fatal(err)
	}
	shared := [][]byte{writable(t, c.Results())}
	apply := func(name string, args ...any) int32 {
		t.Helper()
		a, err := c.Apply(t.Context(), f.FD, name, args)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a.Ring != nil {
			shared = append(shared, writable(t, a.Ring.Files()[0]), writable(t, a.Ring.Files()[1]))
		}
		return a.FID
	}
	fd := int64(f.FD)
	size := int64(apply("PKTINFO", int64(1)))
	count := int64(apply("PKT_COUNTER"))
	apply("BYTE_COUNTER")
	apply("GAP")
	apply("DIST", fd, size, "0", "1000", "10")
	apply("STATS", fd, size, "0")
	apply("BINOP", int64(0), fd, size, fd, count)
	apply("BURST", int64(0), int64(10000), int64(1000), int64(16000), int64(1230400), int64(1230400), int64(10))
	apply("BUCKET", fd, count, "0", int64(0))
	apply("THRESHOLD", int64(2), fd, count, uint64(1), int64(1), int64(0))
	apply("SAMPLES")
	apply("TO_BUFFER")
	wantCode(t, "connect", c.Connect(t.Context(), f.FD), 0)
	done := make(chan struct{})
	var scribbler sync.WaitGroup
	scribbler.Go(func() {
		for rnd := rand.New(rand.NewPCG(1, 2)); ; {
			select {
			case <-done:
				return
			default:
				mem := shared[rnd.IntN(len(shared))]
				at := 8 * rnd.IntN(min(len(mem), 8192)/8)
				binary.NativeEndian.PutUint64(mem[at:], rnd.Uint64()>>(rnd.IntN(5)*16))
			}
		}
	})
	const packets = 20_000
	for i := range uint32(packets) {
		b.source.Send(udp(53, i))
	}
	wantCount(t, "packets of another client", counts[1], packets)
	other.balance([]int32{witness})
	c.balance([]int32{f.FD})
	wantCode(t, "close", c.CloseFlow(f.FD), 0)
	close(done)
	scribbler.Wait()
}
