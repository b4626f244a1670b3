package acceptance

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// TestSyncedFlowsStartTogether connects flows one by one while packets with
// unordered times pass, and compares the packets that they see.
func TestSyncedFlowsStartTogether(t *testing.T) {
	const rounds, flows = 20, 3
	d := mapitest.Start(t)
	client := d.Client()
	for range rounds {
		var synced []*mapi.Flow
		for range flows {
			f, err := client.CreateFlow(t.Context(), "eth0")
			if err != nil {
				t.Fatal(err)
			}
			synced = append(synced, f)
		}
		var buffers []*mapi.Function
		for i, f := range synced {
			if i == 1 { // after a filter that passes all packets, which is of the leading kind
				if _, err := f.Apply(t.Context(), "BPF_FILTER", "greater 1"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := f.Apply(t.Context(), "SYNC", synced); err != nil {
				t.Fatal(err)
			}
			b, err := f.Apply(t.Context(), "TO_BUFFER")
			if err != nil {
				t.Fatal(err)
			}
			buffers = append(buffers, b)
		}
		connected := connectUnderWay(t, d.Device("eth0"), synced)
		want := numbersIn(t, buffers[0])
		if len(want) == 0 {
			t.Fatal("no packet has passed")
		}
		for _, b := range buffers[1:] {
			if got := numbersIn(t, b); !slices.Equal(got, want) {
				t.Fatalf("flow sees %d packets from %d on, another one %d from %d on", len(got), got[0], len(want), want[0])
			}
		}
		if last := want[len(want)-1]; want[0] > connected || last-want[0] < 1000 {
			t.Errorf("packets %d to %d; all flows were connected before packet %d", want[0], last, connected)
		}
		for _, f := range synced {
			if err := f.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// connectUnderWay connects flows while numbered packets pass. It returns after
// some thousand more packets, with a number that was sent well after all flows
// were connected.
func connectUnderWay(t *testing.T, device *mapitest.Device, flows []*mapi.Flow) (number uint64) {
	t.Helper()
	var done atomic.Bool
	var sent atomic.Uint64
	var sending sync.WaitGroup
	sending.Go(func() {
		for !done.Load() {
			batch := numberedBatch(sent.Load())
			if err := device.Send(batch...); err != nil {
				t.Error(err)
				return
			}
			sent.Add(uint64(len(batch)))
		}
	})
	await := func(n uint64) {
		for sent.Load() < n && !t.Failed() {
			runtime.Gosched()
		}
	}
	for _, f := range flows {
		if err := f.Connect(t.Context()); err != nil {
			t.Error(err)
		}
		await(sent.Load() + uint64(rand.IntN(200)))
	}
	number = sent.Load() + 5000
	await(number + 2000)
	done.Store(true)
	sending.Wait()
	return number
}

// numberedBatch returns a few packets with times around the present, in any
// order.
func numberedBatch(first uint64) []mapitest.Packet {
	batch := make([]mapitest.Packet, 1+rand.IntN(40))
	for i := range batch {
		data := make([]byte, 60)
		binary.BigEndian.PutUint64(data[14:], first+uint64(i))
		late := time.Duration(rand.IntN(300)) * time.Microsecond
		batch[i] = mapitest.Packet{Data: data, Time: time.Now().Add(-late)}
	}
	return batch
}

func numbersIn(t *testing.T, buffer *mapi.Function) (out []uint64) {
	t.Helper()
	for {
		p, err := buffer.TryNext()
		if errors.Is(err, io.EOF) || err == nil && p == nil {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, binary.BigEndian.Uint64(p.Data[14:]))
	}
}
