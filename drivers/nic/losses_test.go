package nic

import (
	"fmt"
	"testing"
	"time"

	"gomapi/internal/testnet"
)

func TestEpisode(t *testing.T) {
	begin := time.Unix(1000, 0)
	var e episode
	for _, step := range []struct {
		second     int
		lost, want uint64
	}{
		{0, 0, 0}, {1, 5, 0}, {2, 3, 0}, {3, 0, 8}, // logged when it is over
		{4, 0, 0}, {5, 7, 0}, {6, 0, 0}, {62, 0, 0}, {63, 0, 7}, // not too often
		{200, 1, 0}, {205, 1, 0}, {210, 1, 3}, {215, 1, 0}, {270, 1, 2}, {331, 0, 0}, // while it lasts
		{400, 2, 0}, {401, 0, 2},
	} {
		if got := e.note(step.lost, begin.Add(time.Duration(step.second)*time.Second)); got != step.want {
			t.Errorf("after %d s: %d reported, want %d", step.second, got, step.want)
		}
	}
}

// TestRingFullIsTold checks that the log reports once how many packets a small
// ring has lost.
func TestRingFullIsTold(t *testing.T) {
	for _, params := range latencies {
		params := map[string]string{"ring_mb": "1", "block_kb": "64", "latency": params["latency"]}
		testnet.Run(t, func(ns *testnet.NS) {
			hold := make(chan struct{})
			r := newRecorder()
			r.hold = hold
			dev, said := openLogged(t, testnet.B, params)
			lines := make(chan string, 10)
			dev.(*device).log = func(format string, args ...any) { lines <- fmt.Sprintf(format, args...) }
			run := start(t, dev, r)
			s := ns.Sender(testnet.A)
			for i := range uint64(3000) {
				send(t, s, testnet.UDP(i, 1500))
			}
			close(hold)
			select {
			case line := <-lines:
				said.log("%s", line)
			case <-time.After(testnet.Patience):
				t.Error("nothing was logged")
			}
			run.stop(t)
			said.wants(t, "interface b: ring full, ", fmt.Sprint(dev.Stats().Drop, " packets lost"), "ring_mb (now 1)")
			if len(lines) > 0 {
				t.Errorf("logged again: %s", <-lines)
			}
		})
	}
}

// TestLossesAtTheEnd checks that losses since the last look are logged at the
// end.
func TestLossesAtTheEnd(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		hold := make(chan struct{})
		r := newRecorder()
		r.hold = hold
		dev, said := openLogged(t, testnet.B, tinyRing)
		run := start(t, dev, r)
		s := ns.Sender(testnet.A)
		for i := range uint64(3000) {
			send(t, s, testnet.UDP(i, 1500))
		}
		run.cancel()
		close(hold)
		run.stop(t)
		said.wants(t, "interface b: ring full, ", fmt.Sprint(dev.Stats().Drop, " packets lost"))
	})
}
