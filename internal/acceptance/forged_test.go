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

// pages finds the memory that this process shares with the daemon and can
// write: the reader pages of its packet buffers. It returns their addresses by inode, because a
// page may come where one was unmapped.
func pages(t *testing.T) map[uint64]int64 {
	t.Helper()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	found := make(map[uint64]int64)
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to, inode uint64
		var mode, offset, device string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %d", &from, &to, &mode, &offset, &device, &inode); err != nil {
			t.Fatal(err)
		}
		if mode == "rw-s" && strings.Contains(lines.Text(), "/memfd:") {
			found[inode] = int64(from)
		}
	}
	return found
}

// forgery overwrites the page that a hostile program can write with random
// data, at full speed.
type forgery struct {
	stop chan struct{}
	done chan uint64 // number of writes
}

// forge starts with the one page that is not in old.
func forge(t *testing.T, old map[uint64]int64) *forgery {
	t.Helper()
	var at int64
	for inode, page := range pages(t) {
		if _, known := old[inode]; !known {
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
			// Values of all magnitudes: positions within the ring, just beyond
			// it, and absurd ones.
			binary.NativeEndian.PutUint64(page[i:], random.Uint64()>>random.UintN(64))
		}
		if random.UintN(4) == 0 { // sometimes an aligned position within the ring
			binary.NativeEndian.PutUint64(page, random.Uint64N(16<<20)&^7)
		}
		if _, err := memory.WriteAt(page, at); err != nil {
			return times
		}
		times++
	}
}

// end stops the forgery, which must have written.
func (f *forgery) end(t *testing.T) {
	t.Helper()
	close(f.stop)
	if times := <-f.done; times < 100 {
		t.Errorf("the page was written %d times only", times)
	}
}

// closes closes a flow, which must end in time whatever its program has done.
func closes(t *testing.T, f *mapi.Flow) {
	t.Helper()
	testenv.Within(t, "closing", func() {
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestForgedReaderPage has a program that writes random data to all writable
// memory of its packet buffer. Another program must receive every packet of the
// same interface.
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
			if i%1000 == 999 { // the other program keeps up
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

// TestForgedReaderPageOfAFile does the same with capture files, whose device
// waits for its readers. The hostile program may damage its own results;
// another program receives all packets.
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
	runtime.KeepAlive(taken) // keeps its page mapped
	closes(t, witness)
	if got := countFile(t, d.client(), path, "")[0][0]; got != packets {
		t.Errorf("afterwards: %d packets, want %d", got, packets)
	}
}

// takingFile creates a flow with a packet buffer on a capture file and starts
// it.
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
