package acceptance

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gomapi/flib/flibtest"
	"gomapi/internal/testenv"
	"gomapi/internal/testmapid"
	"gomapi/internal/testnet"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// startRecorder runs a daemon with SAMPLES.
func startRecorder(t *testing.T) *mapid {
	t.Helper()
	d := &mapid{t: t, socket: filepath.Join(t.TempDir(), "s")}
	d.cmd = testmapid.Start(t, d.socket)
	t.Cleanup(func() { d.stop(syscall.SIGTERM) })
	return d
}

// samplesOf connects a flow with SAMPLES and a counter behind it, in lockstep or not.
func samplesOf(t *testing.T, c *mapi.Client, inStep bool) (samples, counter *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), testnet.B)
	must(t, err)
	samples, err = f.Apply(t.Context(), "SAMPLES")
	must(t, err)
	counter, err = f.Apply(t.Context(), "PKT_COUNTER")
	must(t, err)
	if inStep {
		_, err = f.Apply(t.Context(), "THRESHOLD", mapi.ThresholdUint64, counter, uint64(1), mapi.BoundaryAbove, 0)
		must(t, err)
	}
	must(t, f.Connect(t.Context()))
	return samples, counter
}

// isSample checks the record of a numbered frame of 100 bytes, and returns its number.
func isSample(t *testing.T, kind uint16, data []byte) uint64 {
	t.Helper()
	n, ok := testnet.Number(append(make([]byte, 14), data...))
	if want := testnet.UDP(n, 100)[14:]; !ok || kind != flibtest.KindIPv4 || string(data) != string(want) {
		t.Fatalf("a record of kind %d has %x, not a numbered packet", kind, data)
	}
	return n
}

// TestRecordsLive takes the records of numbered frames as they arrive.
func TestRecordsLive(t *testing.T) {
	const all = 5000
	for _, inStep := range []bool{false, true} {
		t.Run(fmt.Sprintf("lockstep=%v", inStep), func(t *testing.T) {
			testnet.Run(t, func(ns *testnet.NS) {
				c := startRecorder(t).client()
				samples, counter := samplesOf(t, c, inStep)
				sender := ns.Sender(testnet.A)
				for n := range uint64(all) {
					must(t, sender.Send(testnet.UDP(n, 100)))
					if n%100 != 99 { // less than the buffer holds
						continue
					}
					for want := n - 99; want <= n; want++ {
						r, err := samples.ReadNext(t.Context())
						must(t, err)
						if got := isSample(t, r.Kind, r.Res); got != want || r.Stamp == 0 {
							t.Fatalf("record %d at %d, want %d", got, r.Stamp, want)
						}
					}
				}
				reaches(t, "packets", counter, all)
				if lost, err := samples.Lost(); lost != 0 || err != nil {
					t.Errorf("%d records are lost, %v", lost, err)
				}
			})
		})
	}
}

// TestRecordsOfSlowReader sends more than the buffer holds before anything is read, then ends the
// daemon: the reader gets the oldest records, the number of those lost, and the end.
func TestRecordsOfSlowReader(t *testing.T) {
	const all = 2000
	testnet.Run(t, func(ns *testnet.NS) {
		d := startRecorder(t)
		samples, counter := samplesOf(t, d.client(), false)
		sender := ns.Sender(testnet.A)
		for n := range uint64(all) {
			must(t, sender.Send(testnet.UDP(n, 100)))
		}
		reaches(t, "packets", counter, all)
		lost, err := samples.Lost()
		must(t, err)
		stops(t, d, syscall.SIGTERM)
		r, err := samples.Read()
		must(t, err)
		table, ok := result.ParseRecords(r.Res)
		if !ok || lost == 0 || table.Lost != lost || uint64(len(table.List))+lost != all {
			t.Errorf("%d records, %d lost, %d before, of %d", len(table.List), table.Lost, lost, all)
		}
		for i, r := range table.List {
			if n := isSample(t, r.Kind, r.Data); n != uint64(i) {
				t.Fatalf("record %d is of packet %d", i, n)
			}
		}
		_, err = samples.Read()
		wantCode(t, "after the last record", err, mapi.ErrCommSocket)
		_, err = samples.ReadNext(t.Context())
		wantCode(t, "a record after the last one", err, mapi.ErrCommSocket)
	})
}

// TestStopWakesReaderOfRecords ends the daemon while a program waits for a record.
func TestStopWakesReaderOfRecords(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startRecorder(t)
		samples, _ := samplesOf(t, d.client(), false)
		must(t, ns.Sender(testnet.A).Send(testnet.UDP(0, 100)))
		begun, woken := make(chan struct{}), make(chan error, 1)
		go func() {
			_, err := samples.ReadNext(context.Background())
			if close(begun); err == nil {
				_, err = samples.ReadNext(context.Background())
			}
			woken <- err
		}()
		<-begun
		stops(t, d, syscall.SIGTERM)
		select {
		case err := <-woken:
			wantCode(t, "waiting for a record", err, mapi.ErrCommSocket)
		case <-time.After(testenv.Patience):
			t.Fatal("somebody waits for a daemon that is gone")
		}
	})
}
