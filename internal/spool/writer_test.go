package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/outfile"
	"gomapi/internal/testenv"
)

// TestEveryRecordGetsThere writes records of all sizes through queues that are
// limited in turn by bytes and by records.
func TestEveryRecordGetsThere(t *testing.T) {
	for _, o := range []Options{
		{Bytes: 1 << 12, Records: 1 << 10}, {Bytes: 1 << 20, Records: 1}, {Bytes: 1 << 12, Records: 8},
	} {
		r, f := pipe(t)
		o.Park = func(wait func()) { wait() }
		w := begin(t, f, o)
		var all [][]byte
		for size := 1; size <= 1<<12; size += 1 + size/100 {
			all = append(all, numbered(3, size)...)
		}
		read := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(r) // missing data is detected below
			read <- b
		}()
		for part := range slices.Chunk(all, 50) {
			w.addAll(part)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, want := <-read, append([]byte(head), bytes.Join(all, nil)...); !bytes.Equal(got, want) {
			t.Errorf("%d bytes arrive, want %d", len(got), len(want))
		}
		if c := w.balanced(uint64(len(all))); c.Written != uint64(len(all)) {
			t.Errorf("%+v", c)
		}
	}
}

// TestLossesAreCounted has no reader and no wait for room.
func TestLossesAreCounted(t *testing.T) {
	for _, c := range []struct {
		o       Options
		waiting uint64 // if the pipe accepts nothing
	}{
		{Options{Bytes: 1 << 12, Records: 1 << 10}, 1<<12/64 - 1}, // the header takes the room of one
		{Options{Bytes: 1 << 12, Records: 8}, 8},
	} {
		r, f := pipe(t)
		fill(t, f)
		w := begin(t, f, c.o)
		w.addAll(numbered(100, 64))
		if got := w.balanced(100); got.Waiting != c.waiting || got.Full != 100-c.waiting {
			t.Errorf("%+v, want %d waiting", got, c.waiting)
		}
		go io.Copy(io.Discard, r)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := w.balanced(100); got.Written != c.waiting {
			t.Errorf("%+v, want %d written", got, c.waiting)
		}
	}
}

// TestHalfARecordIsNotWritten checks that only whole records in a full file are
// counted.
func TestHalfARecordIsNotWritten(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a file system")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	f, err := os.Create(dir + "/out")
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, f, Options{Bytes: 1 << 18, Records: 1 << 10})
	w.addAll(numbered(1000, 100))
	if err := w.end(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("the end is %v", err)
	}
	want := uint64(65536-len(head)) / 100
	if c := w.balanced(1000); c.Written != want || c.Failed != 1000-want || c.Bytes != 65536 {
		t.Errorf("%+v, want %d written", c, want)
	}
	if !w.Over(7) {
		t.Error("writing continues")
	}
	if c := w.balanced(1007); c.Failed != 1007-want {
		t.Errorf("%+v", c)
	}
	if err := w.Close(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Close gives %v", err)
	}
}

// TestHungWriteIsLeftBehind writes to a file whose owner does not answer write(2).
func TestHungWriteIsLeftBehind(t *testing.T) {
	fs := foreigntest.Hang(t, nil, foreigntest.Write)
	w := beginOwn(t, fs.Give(t, foreigntest.User(t), os.O_WRONLY), Options{Bytes: 1 << 20, Records: 1 << 10})
	w.addAll(numbered(1000, 1000))
	testenv.Within(t, "Close", func() {
		if err := w.Close(); !errors.Is(err, outfile.ErrStopped) {
			t.Errorf("Close gives %v", err)
		}
	})
	if c := w.balanced(1000); c.Closed == 0 || c.Waiting != 0 {
		t.Errorf("%+v", c)
	}
	fs.Release()
	select {
	case <-w.done: // the write ends with the file system
	case <-time.After(patience):
		t.Error("the goroutine does not end")
	}
	select {
	case err := <-w.ended:
		t.Errorf("the end is reported after Close: %v", err)
	default:
	}
}

// TestManyHungWritesEndTogether closes a thousand files of a user whose writes hang. If each got
// its own time to end, they would take longer than the patience of tests.
func TestManyHungWritesEndTogether(t *testing.T) {
	fs := foreigntest.Hang(t, nil, foreigntest.Write, foreigntest.Flush)
	user := foreigntest.User(t)
	var all []*probe
	for range 1000 {
		w := beginOwn(t, fs.Give(t, user, os.O_WRONLY), Options{Bytes: 1 << 12, Records: 8})
		w.addAll(numbered(8, 100))
		all = append(all, w)
	}
	testenv.Within(t, "closing", func() {
		for _, w := range all {
			w.Interrupt()
		}
		for _, w := range all {
			if err := w.Close(); !errors.Is(err, outfile.ErrStopped) {
				t.Errorf("Close gives %v", err)
			}
		}
	})
	fs.Release()
	for _, w := range all {
		<-w.done
	}
}

// TestStopsWaiting interrupts a Writer whose Add waits. The record is counted.
func TestStopsWaiting(t *testing.T) {
	_, f := pipe(t)
	fill(t, f)
	parked := make(chan struct{}, 1)
	w := begin(t, f, Options{Bytes: 1 << 12, Records: 8, Park: func(wait func()) { leave(parked); wait() }})
	added := make(chan struct{})
	go func() {
		w.addAll(numbered(20, 64))
		close(added)
	}()
	<-parked
	w.Interrupt()
	<-added
	if err := w.Close(); !errors.Is(err, outfile.ErrStopped) {
		t.Errorf("Close gives %v", err)
	}
	if err := w.end(); !errors.Is(err, outfile.ErrStopped) {
		t.Errorf("the end is %v", err)
	}
	if c := w.balanced(20); c.Closed != 20 {
		t.Errorf("%+v", c)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	f, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, f, Options{Bytes: 1 << 20, Records: 1 << 10})
	batch := numbered(100, 64)
	if n := testing.AllocsPerRun(1000, func() { w.addAll(batch) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

// TestDroppedRecordIsMissed removes a record from the queue without counting
// it. The books must show the loss, both while records wait and after writing
// has ended.
func TestDroppedRecordIsMissed(t *testing.T) {
	_, f := pipe(t)
	fill(t, f)
	w := begin(t, f, Options{Bytes: 1 << 12, Records: 8, Unit: "records"})
	w.addAll(numbered(10, 64))
	sum := func() uint64 {
		c := w.Counts()
		return c.Written + c.Waiting + c.Full + c.Failed + c.Closed
	}
	w.balanced(10)
	w.queue.gone.Add(1)
	if sum() != 9 {
		t.Errorf("%d of 10 records are found while one is missing", sum())
	}
	w.Interrupt()
	err := w.Close()
	if sum() != 9 {
		t.Errorf("%d of 10 records are found at the end while one is missing", sum())
	}
	if !errors.Is(err, outfile.ErrStopped) || !strings.Contains(fmt.Sprint(err), "7 records were not written") {
		t.Errorf("Close gives %v", err)
	}
}

// TestCountsWhileRecordsMove checks that at any time every record is counted,
// except those that are just being added.
func TestCountsWhileRecordsMove(t *testing.T) {
	f, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, f, Options{Bytes: 1 << 12, Records: 64})
	var begun, added atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10_000 {
			begun.Add(10)
			w.addAll(numbered(10, 32))
			added.Add(10)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		least := added.Load()
		c := w.Counts()
		sum, most := c.Written+c.Waiting+c.Full+c.Failed+c.Closed, begun.Load()
		if sum < least || sum > most {
			t.Fatalf("%d records are found, of %d to %d: %+v", sum, least, most, c)
		}
	}
}
