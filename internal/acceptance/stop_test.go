package acceptance

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// stops ends a daemon like an administrator: it must remove its socket and
// report success. A daemon that does not end is killed, which counts as a
// failure.
func stops(t *testing.T, d *mapid, sig syscall.Signal) {
	t.Helper()
	if err := d.stop(sig); err != nil {
		t.Errorf("mapid ends with %v, want exit code 0", err)
	}
	if _, err := os.Lstat(d.socket); !os.IsNotExist(err) {
		t.Errorf("the socket remains: %v", err)
	}
}

// saveLive creates a connected flow that writes the packets of a device and
// counts them afterwards.
func saveLive(t *testing.T, c *mapi.Client, device string, file any) (packets *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, file); err != nil {
		t.Fatal(err)
	}
	if packets, err = f.Apply(t.Context(), "PKT_COUNTER"); err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return packets
}

// numbered returns how many packets are in a file of tcpdump's format. They
// must be the frames of testnet starting at 0, without a gap.
func numbered(t *testing.T, path string) (n uint64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const fileHead, recordHead = 24, 16
	for at := fileHead; at < len(b); n++ {
		end := at + recordHead
		if end <= len(b) {
			end += int(binary.NativeEndian.Uint32(b[at+8:]))
		}
		if end > len(b) {
			t.Fatalf("%s ends within packet %d", path, n)
		}
		if got, ok := testnet.Number(b[at+recordHead : end]); !ok || got != n {
			t.Fatalf("%s: packet %d has number %d", path, n, got)
		}
		at = end
	}
	return n
}

// recordsIn is how many records with packets of this size a capture file has so
// far.
func recordsIn(path string, size int64) uint64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint64(max(0, st.Size()-24) / (16 + size))
}

// TestStopCompletesFiles checks that the files contain all packets captured
// before the stop, and no partial record.
func TestStopCompletesFiles(t *testing.T) {
	needs(t, "tcpdump")
	t.Run("packets in the queue", func(t *testing.T) {
		testnet.Run(t, func(ns *testnet.NS) {
			d := start(t)
			out := filepath.Join(t.TempDir(), "out.pcap")
			packets := saveLive(t, d.client(), testnet.B, out)
			stop := traffic(t, ns, 1000, func() uint64 { return recordsIn(out, 1000) })
			atLeast(t, "packets", packets, 10000)
			sent := stop()
			reaches(t, "packets", packets, sent)
			stops(t, d, syscall.SIGTERM)
			if n := countWithTcpdump(t, out); n != sent || numbered(t, out) != sent {
				t.Errorf("tcpdump reads %d packets, %d were counted", n, sent)
			}
		})
	})
	t.Run("packets under way", func(t *testing.T) {
		testnet.Run(t, func(ns *testnet.NS) {
			d := start(t)
			out := filepath.Join(t.TempDir(), "out.pcap")
			packets := saveLive(t, d.client(), testnet.B, out)
			stop := traffic(t, ns, 1000, func() uint64 { return recordsIn(out, 1000) })
			atLeast(t, "packets", packets, 10000)
			before, err := packets.Uint64()
			if err != nil {
				t.Fatal(err)
			}
			stops(t, d, syscall.SIGTERM)
			sent := stop()
			n := countWithTcpdump(t, out)
			if n < before || n > sent || numbered(t, out) != n {
				t.Errorf("tcpdump reads %d packets, %d were counted before and %d sent", n, before, sent)
			}
		})
	})
}

// TestStopWakesReaders checks that waits for packets, or for the end of a flow,
// return at once when the daemon ends.
func TestStopWakesReaders(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := start(t)
		t.Setenv("MAPI_SOCKET", d.socket)
		flow, packets := buffered(t, d.client(), testnet.B)
		fd, err := mapi.CreateFlow(testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		defer mapi.CloseFlow(fd)
		fid, err := mapi.ApplyFunction(fd, "TO_BUFFER")
		if err == nil {
			err = mapi.Connect(fd)
		}
		if err != nil {
			t.Fatal(err)
		}
		waiting := map[string]func() error{
			"Next": func() error { _, err := packets.Next(context.Background()); return err },
			"Wait": func() error { return flow.Wait(context.Background()) },
			"Loop": func() error {
				_, err := mapi.Loop(fd, fid, 0, func(*mapi.Packet) {})
				return err
			},
		}
		type woken struct {
			what string
			err  error
		}
		begun, ended := make(chan struct{}), make(chan woken)
		for what, wait := range waiting {
			go func() { // its packets go to the loop below
				begun <- struct{}{}
				ended <- woken{what, wait()}
			}()
		}
		for range waiting {
			<-begun
		}
		stops(t, d, syscall.SIGTERM)
		late := time.After(patience)
		for range waiting {
			select {
			case w := <-ended:
				wantCode(t, w.what, w.err, mapi.ErrCommSocket)
			case <-late:
				t.Fatal("somebody waits for a daemon that is gone")
			}
		}
	})
}

// TestStopBesideBlockedPipes has programs that do not read their pipes, of a
// live device and of a capture file whose device waits for them. They must not
// delay the end, and other files must be complete.
func TestStopBesideBlockedPipes(t *testing.T) {
	needs(t, "tcpdump")
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t)
		out := filepath.Join(t.TempDir(), "out.pcap")
		packets := saveLive(t, d.client(), testnet.B, out)
		client := d.client()
		var blocked []*mapi.Function
		for range 3 {
			blocked = append(blocked, saveLive(t, client, testnet.B, blockedPipe(t)))
		}
		trace := filepath.Join(testdata.Dir(t), "mixed-merged.pcap") // more than the queue holds
		waits := saveFile(t, d.client(), trace, "", []any{mapi.FormatPCAP, blockedPipe(t)})
		stop := traffic(t, ns, 1000, func() uint64 { return recordsIn(out, 1000) })
		atLeast(t, "packets before the pipe is full", waits.packets, 1)
		atLeast(t, "packets", packets, 10000) // 10 MB, more than pipe and queue hold
		sent := stop()
		reaches(t, "packets", packets, sent)
		closing := make(chan error)
		go func() { closing <- blocked[0].Flow().Close(context.Background()) }() // in progress, or just ended
		stops(t, d, syscall.SIGTERM)
		if err := <-closing; err != nil {
			wantCode(t, "close under way", err, mapi.ErrCommSocket)
		}
		if n := countWithTcpdump(t, out); n != sent || numbered(t, out) != sent {
			t.Errorf("tcpdump reads %d packets, %d were counted", n, sent)
		}
	})
}

// blockedPipe is a pipe without a reader.
func blockedPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return w
}
