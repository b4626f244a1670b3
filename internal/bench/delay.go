package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// delayRow is how long packets take, in microseconds, with one latency.
type delayRow struct {
	latency           string
	target            string
	half, p99, latest []float64 // by round
}

// delay measures how long packets take from being sent to the program, at a
// thousand a second.
func (b *bench) delay(ctx context.Context, ns *testnet.NS) (string, error) {
	rows := []*delayRow{
		{latency: "low", target: "99 % within 200"},
		{latency: "efficient", target: "all within 11,000"},
	}
	sender := ns.Sender(testnet.A)
	for round := range b.longRounds {
		progress("delay, round %d of %d", round+1, b.longRounds)
		for _, r := range rows {
			took, err := b.delays(ctx, sender, r.latency)
			if err != nil {
				return "", fmt.Errorf("latency=%s: %w", r.latency, err)
			}
			r.half = append(r.half, took[len(took)/2])
			r.p99 = append(r.p99, took[len(took)*99/100])
			r.latest = append(r.latest, took[len(took)-1])
		}
	}
	t := newTable("latency", "half within", "99 % within", "all within", "all within, worst round", "target")
	for _, r := range rows {
		us := func(f float64) string { return fmt.Sprintf("%.0f", f) }
		latest := summarize(r.latest)
		t.row(r.latency, us(summarize(r.half).median), us(summarize(r.p99).median), us(latest.median), us(latest.most), r.target)
	}
	return section("Delay", t, "From before the packet is sent to the program's loop over Next, in microseconds: medians of %d rounds of %d packets, "+
		"one every millisecond.", b.longRounds, b.stamped), nil
}

// delays sends packets with the time in them and returns how long each took, in
// microseconds, sorted.
func (b *bench) delays(ctx context.Context, sender *testnet.Sender, latency string) ([]float64, error) {
	d, err := b.startDaemon(ctx, "latency="+latency)
	if err != nil {
		return nil, err
	}
	defer d.stop()
	buffer, err := flow(ctx, d.client, testnet.B, "", "TO_BUFFER")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.stamped)*time.Millisecond+patience)
	defer cancel()
	clock := time.Now()
	var took []float64
	received := make(chan error, 1)
	go func() { // ends with the last packet, or ctx
		var err error
		took, err = receive(ctx, buffer, clock, b.stamped)
		received <- err
	}()
	frame := testnet.UDP(0, 100)
	for i := range b.stamped {
		time.Sleep(time.Until(clock.Add(time.Duration(i) * time.Millisecond)))
		testnet.SetNumber(frame, uint64(time.Since(clock)))
		if err := sender.Send(frame); err != nil {
			cancel()
			<-received
			return nil, err
		}
	}
	if err := <-received; err != nil {
		return nil, fmt.Errorf("%d of %d packets came: %w", len(took), b.stamped, err)
	}
	slices.Sort(took)
	return took, nil
}

// receive takes n packets and returns how long each was under way, in
// microseconds.
func receive(ctx context.Context, buffer *mapi.Function, clock time.Time, n int) ([]float64, error) {
	took := make([]float64, 0, n)
	for len(took) < n {
		p, err := buffer.Next(ctx)
		if err != nil {
			return took, err
		}
		now := time.Since(clock)
		sent, ok := testnet.Number(p.Data)
		if !ok {
			return took, fmt.Errorf("a packet that nobody sent: %x", p.Data)
		}
		took = append(took, float64(now-time.Duration(sent))/1e3)
	}
	return took, nil
}
