package acceptance

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// pages finds the memory of this process that it shares with the daemon and can
// write: the reader pages of its packet buffers.
func pages(t *testing.T) map[int64]bool {
	t.Helper()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	found := make(map[int64]bool)
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatal(err)
		}
		if mode == "rw-s" && strings.Contains(lines.Text(), "/memfd:") {
			found[int64(from)] = true
		}
	}
	return found
}

// forgery writes nonsense over the page that a hostile program may write, as fast
// as it can.
type forgery struct {
	stop chan struct{}
	done chan uint64 // how often
}

// forge begins with the one page that is not among old.
func forge(t *testing.T, old map[int64]bool) *forgery {
	t.Helper()
	var at int64
	for page := range pages(t) {
		if !old[page] {
			at = page
		}
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil || at == 0 {
		t.Fatalf("reader page at %#x: %v", at, err)
	}
	f := &forgery{make(chan struct{}), make(chan uint64, 1)}
	go func() {
		defer memory.Close()
		f.done <- f.run(memory, at)
	}()
	return f
}

func (f *forgery) run(memory io.WriterAt, at int64) (times uint64) {
	random := rand.New(rand.NewPCG(1, 2))
	page := make([]byte, 4096)
	for {
		select {
		case <-f.stop:
			return times
		default:
		}
		for i := 0; i < len(page); i += 8 {
			// Of all sizes: positions within the ring, just beyond it, and absurd.
			binary.NativeEndian.PutUint64(page[i:], random.Uint64()>>random.UintN(64))
		}
		if random.UintN(4) == 0 { // in step with packets, at least
			binary.NativeEndian.PutUint64(page, random.Uint64N(16<<20)&^7)
		}
		if _, err := memory.WriteAt(page, at); err != nil {
			return times
		}
		times++
	}
}

// end stops the forger, who must have been at it.
func (f *forgery) end(t *testing.T) {
	t.Helper()
	close(f.stop)
	if times := <-f.done; times < 100 {
		t.Errorf("the page was written %d times only", times)
	}
}

// closes closes a flow, which must not take for ever whatever its program has done.
func closes(t *testing.T, f *mapi.Flow) {
	t.Helper()
	testenv.Within(t, "closing", func() {
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestForgedReaderPage has a program write nonsense into all that it may write of
// its packet buffer, while another reads every packet of the same interface.
func TestForgedReaderPage(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		const frames = 10_000 // more than two buffers hold
		d := start(t)
		witness := connectReader(t, d)
		old := pages(t)
		hostile := connectReader(t, d)
		forger := forge(t, old)

		sender := ns.Sender(testnet.A)
		frame := testnet.UDP(0, numberedSize)
		for i := range uint64(frames) {
			testnet.SetNumber(frame, i)
			if err := sender.Send(frame); err != nil {
				t.Fatal(err)
			}
			if i%1000 == 999 { // the witness keeps up
				for witness.seen.Load() < i+1 {
					p, err := witness.buffer.Next(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					witness.take(p)
				}
			}
		}
		checkTally(t, "witness", frames, 0, witness.final(t))
		balanced(t, d.client(), testnet.B)
		forger.end(t)
		closes(t, hostile.flow)
		balanced(t, d.client(), testnet.B)
	})
}

// TestForgedReaderPageOfAFile is the same with capture files, whose device waits
// for its readers: the hostile program may spoil its own, another has all packets.
func TestForgedReaderPageOfAFile(t *testing.T) {
	const packets = 50_000 // some 30 MB
	path := filepath.Join(t.TempDir(), "trace.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tracegen.Write(file, packets, 1); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	d := start(t)
	old := pages(t)
	hostile, taken := takingFile(t, d.client(), path)
	forger := forge(t, old)
	witness, buffer := takingFile(t, d.client(), path)
	var n uint64
	for {
		if _, err := buffer.Next(t.Context()); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != packets {
		t.Errorf("another client has %d packets, want %d", n, packets)
	}
	closes(t, hostile)
	forger.end(t)
	runtime.KeepAlive(taken) // and its page mapped
	closes(t, witness)
	if got := countFile(t, d.client(), path, "")[0][0]; got != packets {
		t.Errorf("afterwards: %d packets, want %d", got, packets)
	}
}

// takingFile makes a flow with a packet buffer of a capture file and starts it.
func takingFile(t *testing.T, c *mapi.Client, path string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(t.Context(), "TO_BUFFER")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, fn
}
