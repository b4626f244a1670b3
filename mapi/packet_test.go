package mapi_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"gomapi/internal/rawview"
	"gomapi/internal/testenv"
	"gomapi/mapi"
)

// buffered creates a connected flow with a packet buffer.
func buffered(t *testing.T, c *mapi.Client, device string, args ...any) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(t.Context(), "TO_BUFFER", args...)
	if err != nil {
		t.Fatal(err)
	}
	must(f.Connect(t.Context()))
	return f, fn
}

// large creates a capture file that exceeds a packet buffer.
func large(t *testing.T) (path string, packets int) {
	t.Helper()
	const size = 1500
	packets = 3 * (4 << 20) / size
	f, err := os.Create("large.pcap")
	must(err)
	defer f.Close()
	t.Cleanup(func() { os.Remove("large.pcap") })
	w := pcapgo.NewWriter(f)
	must(w.WriteFileHeader(65535, layers.LinkTypeEthernet))
	b := make([]byte, size)
	for i := range packets {
		b[20], b[21], b[22] = byte(i), byte(i>>8), byte(i>>16)
		must(w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 1000), CaptureLength: size, Length: size}, b))
	}
	return "large.pcap", packets
}

func device(t *testing.T, c *mapi.Client, path string) *mapi.OfflineDevice {
	t.Helper()
	d, err := c.CreateOfflineDevice(t.Context(), path, mapi.FormatPCAP)
	must(err)
	return d
}

func TestPacketsAreAsInTheFile(t *testing.T) {
	c := client(t)
	d := device(t, c, "trace.pcap")
	_, fn := buffered(t, c, d.Name())
	must(d.Start(t.Context()))
	for i := range 5 {
		p, err := fn.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.Data, packet(i)) || int(p.Wlen) != len(packet(i)) || !p.Time().Equal(time.Unix(int64(i), 0)) {
			t.Errorf("packet %d is %+v", i, p)
		}
	}
	for range 2 {
		if _, err := fn.Next(t.Context()); err != io.EOF {
			t.Errorf("after the last packet: %v, want EOF", err)
		}
	}
}

// TestFilesWaitForTheirReader reads a file that exceeds the buffer.
func TestFilesWaitForTheirReader(t *testing.T) {
	path, packets := large(t)
	c := client(t)
	d := device(t, c, path)
	_, fn := buffered(t, c, d.Name())
	must(d.Start(t.Context()))
	n := 0
	for p, err := range fn.Packets(t.Context()) {
		must(err)
		if got := int(p.Data[20]) | int(p.Data[21])<<8 | int(p.Data[22])<<16; got != n {
			t.Fatalf("packet %d has number %d", n, got)
		}
		n++
	}
	lost, err := fn.Lost()
	if n != packets || lost != 0 || err != nil {
		t.Errorf("%d of %d packets, %d lost, %v", n, packets, lost, err)
	}
}

// TestFullBufferElsewhere has a wait that would never end: the file is read
// once for both flows, and nobody empties the first buffer.
func TestFullBufferElsewhere(t *testing.T) {
	path, _ := large(t)
	c := client(t)
	d := device(t, c, path)
	full, first := buffered(t, c, d.Name())
	_, err := full.Info(t.Context())
	must(err)
	f, err := c.CreateFlow(t.Context(), d.Name())
	must(err)
	_, err = f.Apply(t.Context(), "BPF_FILTER", "tcp port 7") // nothing matches
	must(err)
	second, err := f.Apply(t.Context(), "TO_BUFFER")
	must(err)
	must(f.Connect(t.Context()))
	must(d.Start(t.Context()))
	_, err = second.Next(t.Context())
	wantCode(t, "packet of the flow behind", err, mapi.ErrReaderSem)
	// Closing the flow that blocks the others lets them continue.
	must(full.Close(t.Context()))
	if _, err := second.Next(t.Context()); err != io.EOF {
		t.Errorf("after the full buffer was closed: %v, want EOF", err)
	}
	_, err = first.Next(t.Context())
	wantCode(t, "packet of the closed flow", err, mapi.ErrInvalidFlow)
}

// TestClosingBesideAFullBuffer closes another flow while the daemon waits for
// room, then everything.
func TestClosingBesideAFullBuffer(t *testing.T) {
	path, _ := large(t)
	c := client(t)
	d := device(t, c, path)
	_, fn := buffered(t, c, d.Name())
	other, counter := counting(t, c, d.Name(), "")
	must(d.Start(t.Context()))
	for { // until the daemon waits
		n, err := counter.Uint64()
		must(err)
		if n > 2000 {
			break
		}
	}
	must(other.Close(t.Context()))
	if _, err := fn.Next(t.Context()); err != nil {
		t.Error(err)
	}
	must(d.Delete(t.Context()))
	_, err := fn.Next(t.Context())
	wantCode(t, "packet of the deleted device", err, mapi.ErrInvalidFlow)
	must(c.Close())
}

func TestLiveBufferLosesAndCounts(t *testing.T) {
	_, fn := buffered(t, client(t), "net0")
	const batches, each = 100, 64
	big := make([][]byte, each)
	for i := range big {
		big[i] = make([]byte, 1500)
	}
	for range batches {
		send(big...)
	}
	taken := uint64(0)
	for {
		p, err := fn.TryNext()
		must(err)
		if p == nil {
			break
		}
		taken++
	}
	lost, err := fn.Lost()
	if taken+lost != batches*each || lost == 0 || err != nil {
		t.Errorf("%d packets taken and %d lost, %v, of %d sent into a small buffer", taken, lost, err, batches*each)
	}
}

func TestCancelAndCloseWakeReaders(t *testing.T) {
	c := client(t)
	f, fn := buffered(t, c, "net0")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := fn.Next(ctx); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	go func() { _, err := fn.Next(t.Context()); done <- err }()
	must(f.Close(t.Context()))
	wantCode(t, "after close", <-done, mapi.ErrInvalidFlow)
	_, fn = buffered(t, c, "net0")
	go func() { _, err := fn.Next(t.Context()); done <- err }()
	must(c.Close())
	wantCode(t, "after the client was closed", <-done, mapi.ErrInvalidFlow)
}

func TestNoAllocationPerPacketTaken(t *testing.T) {
	_, fn := buffered(t, client(t), "net0")
	var pkts [][]byte
	for i := range 5 {
		pkts = append(pkts, packet(i))
	}
	for range 60 {
		send(pkts...)
	}
	if n := testing.AllocsPerRun(200, func() { must(second(fn.Next(context.Background()))) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
	dst := make([]mapi.Packet, 4)
	if n := testing.AllocsPerRun(20, func() { must(second(fn.NextBatch(context.Background(), dst))) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

// TestBatchesAreAsInTheFile reads a file in batches of several lengths, up to
// more than one call returns.
func TestBatchesAreAsInTheFile(t *testing.T) {
	path, packets := large(t)
	c := client(t)
	for _, size := range []int{1, 3, 64, 1000} {
		d := device(t, c, path)
		_, fn := buffered(t, c, d.Name())
		must(d.Start(t.Context()))
		dst, i := make([]mapi.Packet, size), 0
		for {
			n, err := fn.NextBatch(t.Context(), dst)
			if err == io.EOF {
				break
			}
			must(err)
			if n < 1 || n > min(size, 64) {
				t.Fatalf("%d packets into %d", n, size)
			}
			for _, p := range dst[:n] { // all of them are still valid
				number := int(p.Data[20]) | int(p.Data[21])<<8 | int(p.Data[22])<<16
				if number != i || p.Wlen != 1500 || len(p.Data) != 1500 || p.LinkType != 1 || p.Time().Unix() != int64(i) {
					t.Fatalf("packet %d is %d: %d of %d bytes, %v", i, number, len(p.Data), p.Wlen, p.Time())
				}
				i++
			}
		}
		if i != packets {
			t.Errorf("%d of %d packets in batches of %d", i, packets, size)
		}
		must(d.Delete(t.Context()))
	}
}

// TestMisuse checks that all calls that take packets return the same errors.
func TestMisuse(t *testing.T) {
	type way = func(context.Context, *mapi.Function) error
	var wait way = func(ctx context.Context, fn *mapi.Function) error { return second(fn.Next(ctx)) }
	var try way = func(_ context.Context, fn *mapi.Function) error { return second(fn.TryNext()) }
	for name, take := range map[string]way{
		"Next":    wait,
		"TryNext": try,
		"NextBatch": func(ctx context.Context, fn *mapi.Function) error {
			return second(fn.NextBatch(ctx, make([]mapi.Packet, 2)))
		},
		"NextBatch of none": func(ctx context.Context, fn *mapi.Function) error { return second(fn.NextBatch(ctx, nil)) },
	} {
		waits := name == "Next" || name == "NextBatch"
		t.Run(name, func(t *testing.T) {
			c := client(t)
			f, err := c.CreateFlow(t.Context(), "net0")
			must(err)
			fn, err := f.Apply(t.Context(), "TO_BUFFER")
			must(err)
			counter, err := f.Apply(t.Context(), "PKT_COUNTER")
			must(err)
			wantCode(t, "before connect", take(t.Context(), fn), mapi.ErrFlowNotConnected)
			must(f.Connect(t.Context()))
			wantCode(t, "packet of a counter", take(t.Context(), counter), mapi.ErrNoResult)
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if err := take(over, fn); waits {
				wantCode(t, "with a context that has ended", err, mapi.ErrCanceled)
			} else {
				wantCode(t, "with nothing to wait for", err, 0)
			}
			wantCode(t, "beside another goroutine", besideReader(t, fn, wait, try, take), mapi.ErrReaderSem)
			must(f.Close(t.Context()))
			wantCode(t, "after close", take(t.Context(), fn), mapi.ErrInvalidFlow)
			_, fn = buffered(t, c, "net0")
			must(c.Close())
			wantCode(t, "after the client was closed", take(t.Context(), fn), mapi.ErrInvalidFlow)
		})
	}
}

// besideReader calls take while another goroutine is in wait. try does not
// wait.
func besideReader(t *testing.T, fn *mapi.Function, wait, try, take func(context.Context, *mapi.Function) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	reader.Go(func() {
		for ctx.Err() == nil { // repeat if the query below interfered
			_ = wait(ctx, fn)
		}
	})
	for deadline := time.Now().Add(testenv.Patience); ; runtime.Gosched() {
		if err := try(t.Context(), fn); err != nil {
			wantCode(t, "until the other goroutine waits", err, mapi.ErrReaderSem)
			return take(t.Context(), fn)
		}
		if time.Now().After(deadline) {
			t.Fatal("the other goroutine does not wait")
		}
	}
}

// TestTwoReadersOfOneFile takes packets of two flows, one faster than the
// other. Neither may mistake the other's wait for a standstill.
func TestTwoReadersOfOneFile(t *testing.T) {
	path, packets := large(t)
	c := client(t)
	d := device(t, c, path)
	_, fast := buffered(t, c, d.Name())
	_, slow := buffered(t, c, d.Name())
	must(d.Start(t.Context()))
	var readers sync.WaitGroup
	read := func(fn *mapi.Function, work int) {
		readers.Go(func() {
			n := 0
			for p, err := range fn.Packets(context.Background()) {
				if err != nil {
					t.Error(err)
					return
				}
				for range work {
					crc32.ChecksumIEEE(p.Data)
				}
				n++
			}
			if n != packets {
				t.Errorf("%d of %d packets", n, packets)
			}
		})
	}
	read(fast, 0)
	read(slow, 20)
	readers.Wait()
}

// TestClosedBufferHoldsNobodyUp closes the buffer of a function, not its flow.
func TestClosedBufferHoldsNobodyUp(t *testing.T) {
	path, packets := large(t)
	c := client(t)
	d := device(t, c, path)
	_, unread := buffered(t, c, d.Name())
	_, fn := buffered(t, c, d.Name())
	must(d.Start(t.Context()))
	must(unread.Close())
	n := 0
	for _, err := range fn.Packets(t.Context()) {
		must(err)
		n++
	}
	if n != packets {
		t.Errorf("%d of %d packets with a closed buffer", n, packets)
	}
}

// TestNoWaitNoticesTheEndOfTheDaemon distinguishes an empty buffer from a lost
// connection.
func TestNoWaitNoticesTheEndOfTheDaemon(t *testing.T) {
	c := client(t)
	var cut func()
	c.Dial, cut = severable(t, os.Getenv("MAPI_SOCKET"))
	f, fn := buffered(t, c, "net0", mapi.NoWait)
	if p, err := fn.TryNext(); p != nil || err != nil {
		t.Errorf("no packet: %v, %v", p, err)
	}
	cut()
	<-rawview.Lost(f)
	_, err := fn.TryNext()
	wantCode(t, "after the connection was lost", err, mapi.ErrCommSocket)
}

// BenchmarkTake measures the cost of a packet for a program, singly and in
// batches. The timer is stopped while the buffer is refilled.
func BenchmarkTake(b *testing.B) {
	dst := make([]mapi.Packet, 64)
	for _, way := range []struct {
		name string
		take func(*mapi.Function) (int, error)
	}{
		{"Next", func(fn *mapi.Function) (int, error) { return 1, second(fn.Next(context.Background())) }},
		{"NextBatch", func(fn *mapi.Function) (int, error) { return fn.NextBatch(context.Background(), dst) }},
	} {
		b.Run(way.name, func(b *testing.B) { benchmarkTake(b, way.take) })
	}
}

func benchmarkTake(b *testing.B, take func(*mapi.Function) (int, error)) {
	c := &mapi.Client{}
	defer c.Close()
	f, err := c.CreateFlow(b.Context(), "net0")
	must(err)
	fn, err := f.Apply(b.Context(), "TO_BUFFER")
	must(err)
	must(f.Connect(b.Context()))
	batch := make([][]byte, 4096)
	for i := range batch {
		batch[i] = packet(0)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for taken := 0; taken < b.N; {
		b.StopTimer()
		send(batch...)
		b.StartTimer()
		for left := len(batch); left > 0; {
			n, err := take(fn)
			must(err)
			left -= n
			taken += n
		}
	}
}
