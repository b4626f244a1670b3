package ring

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	"gomapi/internal/pkt"
)

// fill writes until the ring is full, and publishes it.
func fill(w *Writer) (n uint64) {
	for w.Write(numbered(n, 1000)) {
		n++
	}
	w.Flush()
	return n
}

// untilAsleep waits until the reader announces that it sleeps.
func untilAsleep(t *testing.T, w *Writer) {
	t.Helper()
	spin(t, "the reader to sleep", func() bool { return w.page.sleep.Load()%2 == 1 })
}

// untilAwaited waits until the writer announces that it waits.
func untilAwaited(t *testing.T, r *Reader) {
	t.Helper()
	spin(t, "the writer to wait", r.Awaited)
}

func TestNextWaits(t *testing.T) {
	w, r := pair(t, 0)
	var reader sync.WaitGroup
	reader.Go(func() {
		p, err := r.Next(bounded(t))
		if err != nil {
			t.Error(err)
			return
		}
		checkNumbered(t, p, 1, 60)
	})
	untilAsleep(t, w)
	w.Write(numbered(1, 60))
	w.Flush()
	reader.Wait()
}

func TestEveryEndWakesTheReader(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*Writer, *Reader)
		want error
	}{
		"end":   {func(w *Writer, _ *Reader) { w.End() }, io.EOF},
		"close": {func(w *Writer, _ *Reader) { w.Close() }, ErrGone},
		"close with unread bytes": {func(w *Writer, r *Reader) {
			r.conn.Write([]byte{1})
			w.Close()
		}, ErrGone},
		"end and close with unread bytes": {func(w *Writer, r *Reader) {
			r.conn.Write([]byte{1})
			w.End()
			w.Leave()
		}, io.EOF},
		"close reader": {func(_ *Writer, r *Reader) { r.Close() }, os.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := pair(t, 0)
			var reader sync.WaitGroup
			reader.Go(func() {
				if _, err := r.Next(bounded(t)); err != c.want {
					t.Errorf("Next gives %v, want %v", err, c.want)
				}
			})
			untilAsleep(t, w)
			c.do(w, r)
			reader.Wait()
		})
	}
}

func TestContextEndsNext(t *testing.T) {
	w, r := pair(t, 0)
	for range 100 {
		ctx, cancel := context.WithCancel(context.Background())
		var reader sync.WaitGroup
		reader.Go(func() {
			if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Next gives %v, want Canceled", err)
			}
		})
		untilAsleep(t, w)
		cancel()
		reader.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 1)
	defer cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Next gives %v, want DeadlineExceeded", err)
	}
	w.Write(numbered(1, 60))
	w.Flush()
	if p, err := r.Next(ctx); err != nil || p.TS != 1 {
		t.Errorf("a packet that is there comes as %v, %v", p.TS, err)
	}
}

// TestSecondReaderIsRefused blocks one goroutine in Next and reads from another.
func TestSecondReaderIsRefused(t *testing.T) {
	w, r := pair(t, 0)
	var reader sync.WaitGroup
	reader.Go(func() {
		if _, err := r.Next(bounded(t)); err != io.EOF {
			t.Error(err)
		}
	})
	untilAsleep(t, w)
	mustBeEmpty(t, r, ErrBusy)
	if _, err := r.Next(bounded(t)); err != ErrBusy {
		t.Errorf("Next gives %v, want ErrBusy", err)
	}
	if _, err := r.NextBatch(bounded(t), make([]Packet, 1)); err != ErrBusy {
		t.Errorf("NextBatch gives %v, want ErrBusy", err)
	}
	w.End()
	reader.Wait()
}

// TestWakeRace passes single packets, with a sleep between any two. A lost wake-up would
// hang.
func TestWakeRace(t *testing.T) {
	w, r := pair(t, 0)
	const packets = 100_000
	var writer sync.WaitGroup
	writer.Go(func() {
		p := numbered(0, 16)
		for n := range uint64(packets) {
			number(p, n)
			w.WriteWait(p)
			w.Flush()
		}
		w.End()
	})
	ctx := bounded(t)
	for n := range uint64(packets) {
		p, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("packet %d: %v", n, err)
		}
		checkNumbered(t, p, n, 16)
	}
	if _, err := r.Next(ctx); err != io.EOF {
		t.Errorf("at the end %v", err)
	}
	writer.Wait()
}

// TestRoomRace makes the writer wait all the time, with packets that barely fit.
func TestRoomRace(t *testing.T) {
	w, r := pair(t, MinCapacity)
	const packets = 50_000
	var writer sync.WaitGroup
	writer.Go(func() {
		p := numbered(0, lengthFor(MinCapacity/2))
		link := p.Link
		for n := range uint64(packets) {
			p.Link = link[:16+(n*7919)%uint64(len(link)-16)]
			p.TS = n
			if !w.WriteWait(p) {
				t.Errorf("packet %d was lost", n)
			}
		}
		w.End()
	})
	ctx := bounded(t)
	for n := range uint64(packets) {
		p, err := r.Next(ctx)
		if err != nil || p.TS != n || len(p.Data) != int(16+(n*7919)%uint64(MinCapacity/2-recordData-16)) {
			t.Fatalf("packet %d: got %d of %d bytes, %v", n, p.TS, len(p.Data), err)
		}
	}
	writer.Wait()
	if got := w.Counts(); got.Lost() != 0 {
		t.Errorf("a waiting writer lost packets: %+v", got)
	}
}

// waiting runs a writer on a full ring until it waits. The channel delivers the result of
// WriteWait.
func waiting(t *testing.T, w *Writer, r *Reader) <-chan bool {
	t.Helper()
	fill(w)
	done := make(chan bool, 1)
	go func() { done <- w.WriteWait(&pkt.Packet{Link: make([]byte, 1000)}) }()
	untilAwaited(t, r)
	return done
}

func TestWriterGoesOnAfterAQuarter(t *testing.T) {
	w, r := pair(t, MinCapacity)
	done := waiting(t, w, r)
	quarter := uint64(0)
	for n := uint64(0); word(r.maps.page, 0) < MinCapacity/4; n++ {
		select {
		case <-done:
			t.Fatalf("the writer went on when %d bytes were free", word(r.maps.page, 0))
		default:
		}
		mustNext(t, r, n, 1000)
		quarter = n
	}
	if !<-done || r.Awaited() {
		t.Errorf("after %d packets the writer does not go on", quarter)
	}
}

func TestHasRoom(t *testing.T) {
	w, r := pair(t, MinCapacity)
	fill(w)
	if w.HasRoom(numbered(1, 1000)) || !w.HasRoom(numbered(1, MinCapacity)) || w.Counts().Lost() != 1 {
		t.Error("a full ring has room, or would wait for what never fits")
	}
	r.TryNext()
	r.TryNext()
	if !w.HasRoom(numbered(1, 1000)) {
		t.Error("no room where a packet was")
	}
}

func TestStopEndsTheWait(t *testing.T) {
	w, r := pair(t, MinCapacity)
	done := waiting(t, w, r)
	w.Stop()
	if <-done || w.Counts().Full != 2 || r.Awaited() {
		t.Errorf("a stopped writer counts %+v", w.Counts())
	}
	if w.WriteWait(numbered(1, 1000)) || w.Counts().Full != 3 {
		t.Error("a stopped writer waited again")
	}
	// The reader is alive and is still woken.
	for ok := true; ok; _, ok, _ = r.TryNext() {
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		if p, err := r.Next(bounded(t)); err != nil || p.TS != 5 {
			t.Errorf("got %d, %v", p.TS, err)
		}
	})
	untilAsleep(t, w)
	w.WriteWait(numbered(5, 1000))
	w.Flush()
	reader.Wait()
	w.Close()
	w.Stop()
}

func TestClosedReaderEndsTheWait(t *testing.T) {
	w, r := pair(t, MinCapacity)
	done := waiting(t, w, r)
	r.Close()
	if <-done || w.Counts().Full != 2 {
		t.Errorf("without a reader the writer counts %+v", w.Counts())
	}
	if w.WriteWait(numbered(1, 1000)) || w.Counts().Full != 3 {
		t.Error("a writer without reader waited again")
	}
}

func TestEndWakesAfterStop(t *testing.T) {
	w, r := pair(t, MinCapacity)
	w.Stop()
	var reader sync.WaitGroup
	reader.Go(func() {
		if _, err := r.Next(bounded(t)); err != io.EOF {
			t.Errorf("Next gives %v, want EOF", err)
		}
	})
	untilAsleep(t, w)
	w.End()
	reader.Wait()
}
