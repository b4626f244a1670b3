package mapi_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"testing"

	"gomapi/mapi"
	"gomapi/mapi/mapitest"
	"gomapi/mapi/result"
)

func itoa(n int) string { return strconv.Itoa(n) }

// noting creates a flow that records its packet count at each packet: a series
// of 1, 2, 3 and so on.
func noting(t *testing.T, c *mapi.Client, device string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	must(err)
	packets, err := f.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	bucket, err := f.Apply(t.Context(), "BUCKET", packets, "0", 0)
	must(err)
	return f, bucket
}

// wantEntry checks an entry of such a series.
func wantEntry(t *testing.T, r mapi.Result, err error, want uint64) {
	t.Helper()
	if e, ok := result.ParseBucket(r.Res); err != nil || !ok || e.Value != want {
		t.Errorf("entry %+v, %v, want %d", e, err, want)
	}
}

func TestSeriesIsReadEntryByEntry(t *testing.T) {
	f, fn := noting(t, client(t), "net0")
	must(f.Connect(t.Context()))
	send(packet(0), packet(1), packet(2), packet(3))
	first, err := fn.ReadNext(t.Context())
	wantEntry(t, first, err, 1)
	r, err := fn.Read()
	wantEntry(t, r, err, 2)
	r, ok, err := fn.TryReadNext()
	wantEntry(t, r, err, 3)
	for r, err := range fn.Results(t.Context()) {
		wantEntry(t, r, err, 4)
		break
	}
	if _, more, err := fn.TryReadNext(); !ok || more || err != nil {
		t.Errorf("after the last entry: %v, %v", more, err)
	}
	wantEntry(t, first, nil, 1) // later reads do not change it
	if lost, err := fn.Lost(); lost != 0 || err != nil {
		t.Errorf("%d entries lost, %v", lost, err)
	}
}

func TestReadersOfSeriesWait(t *testing.T) {
	f, fn := noting(t, client(t), "net0")
	must(f.Connect(t.Context()))
	entries := make(chan mapi.Result)
	go func() {
		defer close(entries)
		for r, err := range fn.Results(t.Context()) {
			if err != nil {
				return
			}
			entries <- r
		}
	}()
	for i := range uint64(100) {
		send(packet(0))
		wantEntry(t, <-entries, nil, i+1)
	}
	must(f.Close(t.Context()))
	for range entries {
		t.Error("an entry after the last packet")
	}
}

// waysToRead are the calls that take an entry of a series.
var waysToRead = map[string]func(context.Context, *mapi.Function) error{
	"ReadNext":    func(ctx context.Context, fn *mapi.Function) error { return second(fn.ReadNext(ctx)) },
	"TryReadNext": func(_ context.Context, fn *mapi.Function) error { _, _, err := fn.TryReadNext(); return err },
	"Results": func(ctx context.Context, fn *mapi.Function) error {
		for _, err := range fn.Results(ctx) {
			return err
		}
		return io.EOF
	},
}

func TestSeriesEndsWithItsFile(t *testing.T) {
	c := client(t)
	d := device(t, c, "trace.pcap")
	f, fn := noting(t, c, d.Name())
	must(f.Connect(t.Context()))
	must(d.Start(t.Context()))
	must(d.Wait(t.Context()))
	n := uint64(0)
	for r, err := range fn.Results(t.Context()) {
		n++
		wantEntry(t, r, err, n)
	}
	if n != 5 {
		t.Errorf("%d entries of 5 packets", n)
	}
	for name, read := range waysToRead {
		if err := read(t.Context(), fn); err != io.EOF {
			t.Errorf("%s after the last entry: %v, want EOF", name, err)
		}
	}
	if _, err := fn.Read(); err != io.EOF {
		t.Errorf("Read after the last entry: %v, want EOF", err)
	}
	must(f.Close(t.Context()))
	_, err := fn.Read()
	wantCode(t, "after close", err, mapi.ErrInvalidFlow)
}

func TestSeriesOfAFailedDeviceEnds(t *testing.T) {
	d := mapitest.Start(t)
	f, fn := noting(t, d.Client(), "eth0")
	must(f.Connect(t.Context()))
	must(d.Device("eth0").Send(mapitest.Packet{Data: packet(0)}))
	must(d.Device("eth0").End(errors.New("cable cut")))
	r, err := fn.ReadNext(t.Context())
	wantEntry(t, r, err, 1)
	if _, err := fn.ReadNext(t.Context()); err != io.EOF {
		t.Errorf("after the last entry: %v, want EOF", err)
	}
	wantCode(t, "wait", f.Wait(t.Context()), mapi.ErrNICThread)
}

// TestMisuseOfSeries checks that all calls that read a series return the same
// errors.
func TestMisuseOfSeries(t *testing.T) {
	for name, read := range waysToRead {
		t.Run(name, func(t *testing.T) {
			c := client(t)
			f, fn := noting(t, c, "net0")
			wantCode(t, "before connect", read(t.Context(), fn), mapi.ErrFlowNotConnected)
			must(f.Connect(t.Context()))
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if err := read(over, fn); name == "TryReadNext" {
				wantCode(t, "with nothing to wait for", err, 0)
			} else if wantCode(t, "with a context that has ended", err, mapi.ErrCanceled); !errors.Is(err, context.Canceled) {
				t.Errorf("%v does not wrap the end of the context", err)
			}
			wantCode(t, "beside another goroutine", besideReader(t, fn, waysToRead["ReadNext"], waysToRead["TryReadNext"], read), mapi.ErrReaderSem)
			must(f.Close(t.Context()))
			wantCode(t, "after close", read(t.Context(), fn), mapi.ErrInvalidFlow)
			f, fn = noting(t, c, "net0")
			must(f.Connect(t.Context()))
			must(c.Close())
			wantCode(t, "after the client was closed", read(t.Context(), fn), mapi.ErrInvalidFlow)
		})
	}
}

// TestWaitingReadersOfSeriesWake checks that readers wake when their function,
// flow, client or daemon ends.
func TestWaitingReadersOfSeriesWake(t *testing.T) {
	d := mapitest.Start(t)
	own := &mapi.Client{Socket: d.Socket()} // outlives the daemon
	defer own.Close()
	waiting := func(c *mapi.Client) (*mapi.Flow, chan error) {
		f, fn := noting(t, c, "eth0")
		must(f.Connect(t.Context()))
		done := make(chan error, 1)
		go func() { done <- second(fn.ReadNext(context.Background())) }()
		return f, done
	}
	f, done := waiting(own)
	must(f.Close(t.Context()))
	wantCode(t, "flow closed", <-done, mapi.ErrInvalidFlow)
	c := d.Client()
	_, done = waiting(c)
	must(c.Close())
	wantCode(t, "client closed", <-done, mapi.ErrInvalidFlow)

	f, fn := noting(t, own, "eth0")
	must(f.Connect(t.Context()))
	must(d.Device("eth0").Send(mapitest.Packet{Data: packet(0)}))
	_, done = waiting(own)
	must(d.Close())
	wantCode(t, "daemon gone", <-done, mapi.ErrCommSocket)
	r, err := fn.ReadNext(t.Context())
	wantEntry(t, r, err, 1) // the available entry remains
	_, err = fn.ReadNext(t.Context())
	wantCode(t, "next one", err, mapi.ErrCommSocket)
	_, _, err = fn.TryReadNext()
	wantCode(t, "next one without waiting", err, mapi.ErrCommSocket)
}

// TestConnectionLostUnderSeries has a daemon that closes the connection without
// a message.
func TestConnectionLostUnderSeries(t *testing.T) {
	d := mapitest.Start(t)
	dial, cut := severable(t, d.Socket())
	c := &mapi.Client{Dial: dial}
	defer c.Close()
	f, fn := noting(t, c, "eth0")
	must(f.Connect(t.Context()))
	done := make(chan error, 1)
	go func() { done <- second(fn.ReadNext(context.Background())) }()
	cut()
	wantCode(t, "waiting reader", <-done, mapi.ErrCommSocket)
}

// TestSlowReadersOfSeries checks that slow readers miss the oldest entries, and
// know how many.
func TestSlowReadersOfSeries(t *testing.T) {
	f, fn := noting(t, client(t), "net0")
	must(f.Connect(t.Context()))
	frame, sent, read := packet(0), uint64(0), uint64(0)
	for _, burst := range []int{10, 5000, 1, 0, 100_000, 1000} {
		batch := make([][]byte, burst)
		for i := range batch {
			batch[i] = frame
		}
		send(batch...)
		sent += uint64(burst)
		got := uint64(0)
		for {
			r, ok, err := fn.TryReadNext()
			must(err)
			if !ok {
				break
			}
			got, read = got+1, read+1
			lost, err := fn.Lost()
			must(err)
			wantEntry(t, r, nil, read+lost)
		}
		lost, err := fn.Lost()
		if read+lost != sent || err != nil {
			t.Errorf("%d entries read and %d lost of %d, %v", read, lost, sent, err)
		}
		if got < uint64(min(burst, 1000)) {
			t.Errorf("%d of the newest entries of a burst of %d", got, burst)
		}
	}
}

// TestResultsOfTheWrongKind checks that they are rejected, and that ReadNext
// reads results that are no series.
func TestResultsOfTheWrongKind(t *testing.T) {
	f, fn := noting(t, client(t), "net0")
	apply := func(name string, args ...any) *mapi.Function {
		fn, err := f.Apply(t.Context(), name, args...)
		must(err)
		return fn
	}
	filter := apply("BPF_FILTER", "greater 1")
	packets := apply("PKT_COUNTER")
	stats := apply("STATS", packets, "0")
	buffer := apply("TO_BUFFER")
	unkept := apply("HASHSAMP", 1024, 0)
	must(f.Connect(t.Context()))
	send(packet(0))
	for what, err := range map[string]error{
		"packet of a series":            second(fn.Next(t.Context())),
		"packet of a series, at once":   second(fn.TryNext()),
		"packets of a series":           second(fn.NextBatch(t.Context(), make([]mapi.Packet, 1))),
		"number of a series":            second(fn.Uint64()),
		"packet of a counter":           second(packets.Next(t.Context())),
		"number of STATS":               second(stats.Uint64()),
		"entry of a filter":             second(filter.ReadNext(t.Context())),
		"entry of a buffer":             second(buffer.ReadNext(t.Context())),
		"result of a buffer":            second(buffer.Read()),
		"samples that are not kept":     second(unkept.ReadNext(t.Context())),
		"losses of a counter":           second(packets.Lost()),
		"losses of samples not kept":    second(unkept.Lost()),
		"entry of a filter, at once":    waysToRead["TryReadNext"](t.Context(), filter),
		"first of all of a filter":      waysToRead["Results"](t.Context(), filter),
		"packets of a series, in order": packetsOf(t, fn),
	} {
		wantCode(t, what, err, mapi.ErrNoResult)
	}
	r, err := packets.ReadNext(t.Context())
	if err != nil || r.Uint64() != 1 {
		t.Errorf("counter read as the next entry: %d, %v", r.Uint64(), err)
	}
	if r, ok, err := packets.TryReadNext(); err != nil || !ok || r.Uint64() != 1 {
		t.Errorf("without waiting: %d, %v, %v", r.Uint64(), ok, err)
	}
}

func packetsOf(t *testing.T, fn *mapi.Function) error {
	for _, err := range fn.Packets(t.Context()) {
		return err
	}
	return nil
}

// TestReadResultsWaitsForEntries checks that it waits, like the original's
// call.
func TestReadResultsWaitsForEntries(t *testing.T) {
	device, err := mapi.CreateOfflineDevice("trace.pcap", mapi.FormatPCAP)
	must(err)
	defer mapi.DeleteOfflineDevice(device)
	fd, err := mapi.CreateFlow(device)
	must(err)
	packets, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	must(err)
	bucket, err := mapi.ApplyFunction(fd, "BUCKET", fd, packets, "1s", 1)
	must(err)
	_, err = mapi.ReadResults(fd, bucket)
	wantCode(t, "before connect", err, mapi.ErrFlowNotConnected)
	must(mapi.Connect(fd))
	type answer struct {
		mapi.Results
		error
	}
	answers := make(chan answer)
	go func() {
		for range 3 {
			r, err := mapi.ReadResults(fd, bucket)
			answers <- answer{r, err}
		}
	}()
	must(mapi.StartOfflineDevice(device))
	// Packets arrive at 0, 1, 2, 3 and 4 s. A packet later than the end of a
	// period ends the period: those at 2, 3 and 4 s, after 2, 1 and 1 packets.
	for _, want := range []uint64{2, 1, 1} {
		a := <-answers
		if a.error != nil || len(a.Results) != 1 {
			t.Fatalf("%d results, %v", len(a.Results), a.error)
		}
		wantEntry(t, a.Results[0], nil, want)
	}
	if _, err := mapi.ReadResults(fd, bucket); err != io.EOF {
		t.Errorf("after the last entry: %v, want EOF", err)
	}
}
