package main

import (
	"context"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// flood sends packets in bursts until ctx ends: 100 bursts a second of 64 packets, with a
// second of ten times as many now and then. Errors are those of an interface that is down.
func flood(ctx context.Context, s *testnet.Sender) {
	var frames [][]byte
	for f := range tracegen.Frames(20_000, 1) {
		if len(f) <= 1514 {
			frames = append(frames, append([]byte(nil), f...))
		}
	}
	const burst = testnet.MaxBatch
	for n := 0; ctx.Err() == nil; n++ {
		times := 1
		if n/100%10 == 9 {
			times = 10
		}
		for range times {
			from := n * burst % (len(frames) - burst)
			_ = s.SendBatch(frames[from : from+burst])
		}
		sleep(ctx, 10*time.Millisecond)
	}
}
